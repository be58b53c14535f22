import { createDaybook } from 'daybook';

export default createDaybook({ defaultAck: 'committed' });

import { createDaybook } from './create-daybook.ts';

export default createDaybook();

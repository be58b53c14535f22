import { createDaybook } from 'daybook';
import { defineCatalogue } from 'daybook/catalogue';

const paid = { target: 'invoice', metadata: { amount: 'number' } };
const catalogue = defineCatalogue({ vocabularies: ['tasks'], actions: { 'invoice.paid': paid } });
export default createDaybook({ catalogue, defaultAck: 'committed' });

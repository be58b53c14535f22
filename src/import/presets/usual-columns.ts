import type { MappingInput } from '../mapping.ts';

/**
 * Names that columns of personal data and of requests usually have. In the metadata they would stay for ever; as these
 * fields they are forgotten, erased and found. What a preset says of a column itself goes before.
 */
export const USUAL_COLUMNS: MappingInput['columns'] = {
  ip_address: 'context.ip_address',
  ip: 'context.ip_address',
  client_ip: 'context.ip_address',
  remote_addr: 'context.ip_address',
  user_agent: 'context.user_agent',
  user_email: 'actor.email',
  session_id: 'context.session_id',
  request_id: 'context.request_id',
};

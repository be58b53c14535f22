import type { Catalogue } from './events/catalogue.ts';

/** What a team's own Worker may say of itself; its variables and bindings are the environment's. */
export interface DaybookOptions {
  /** What is promised where a request does not ask, unless DAYBOOK_DEFAULT_ACK says; `accepted` when left out. */
  defaultAck?: 'accepted' | 'queued' | 'committed';
  /** Every event is held to it, whatever its workspace: 422 for other actions, target types and metadata. */
  catalogue?: Catalogue;
}

import type { Context } from 'hono';
import type { OwnAction } from '../events/own-event.ts';
import type { Identity } from './authenticate.ts';

/** What the operator does, and whoever changes something. */
export interface Deed {
  workspaceId: string;
  action: OwnAction;
  /** what was asked to be changed; a deed of an API key is told only where there is something */
  changes?: object;
  /** what was there before, of what was changed */
  before?: object | null;
}

/** What middleware leaves for routes. */
export interface AppEnv {
  Variables: {
    requestId: string;
    /** in routes; before them only once a key was found good */
    identity: Identity;
    /** what a request does, whether it succeeds or not, for the audit event that tells of it */
    deed: Deed;
  };
}

export type AppContext = Context<AppEnv>;

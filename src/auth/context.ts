import type { Context } from 'hono';
import type { Identity } from './authenticate.ts';

/** What middleware leaves for routes. */
export interface AppEnv {
  Variables: {
    requestId: string;
    identity: Identity;
    /** what a request does with the operator's key, whether it succeeds or not, for the audit event that tells of it */
    deed: { workspaceId: string; action: string };
  };
}

export type AppContext = Context<AppEnv>;

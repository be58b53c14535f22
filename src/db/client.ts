import { neon, neonConfig, type NeonQueryFunction } from '@neondatabase/serverless';

/** Runs SQL over Neon's HTTP protocol. Stateless: safe to keep across requests. */
export type Sql = NeonQueryFunction<false, false>;

export interface DatabaseAddress {
  /** `postgres://user:password@host/database` */
  url: string;
  /** Address of a local endpoint that speaks Neon's protocol (`http://127.0.0.1:…/sql`), instead of Neon's own. */
  localEndpoint?: string | undefined;
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * The one place that makes database clients.
 * @throws TypeError when the local endpoint is not on this machine: credentials travel to it in clear text.
 */
export function connect(address: DatabaseAddress): Sql {
  if (address.localEndpoint !== undefined) {
    const endpoint = new URL(address.localEndpoint);
    if (!LOOPBACK.has(endpoint.hostname)) {
      throw new TypeError(
        'The local database endpoint must be a loopback address; leave it unset to use Neon.',
      );
    }
    // Global to the driver; a process or isolate talks to one database only.
    neonConfig.fetchEndpoint = endpoint.href;
  }
  return neon(address.url, { disableWarningInBrowsers: true });
}

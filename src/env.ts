import * as z from 'zod';
import { isDatabaseUrl } from './db/database-url.ts';
import type { DaybookOptions } from './options.ts';

z.config({ jitless: true });

/** A queue of the platform, as far as Daybook uses it. */
export interface Queue {
  /** At most 100 messages and 256 KB, each of 128 KB at most. */
  sendBatch(
    messages: Iterable<{ body: string | Uint8Array; contentType: 'text' | 'bytes' }>,
    options?: { delaySeconds: number },
  ): Promise<unknown>;
  metrics(): Promise<{
    backlogCount: number;
    backlogBytes: number;
    /** ms since 1970 or a Date; 0 when the queue is empty */
    oldestMessageTimestamp?: number | Date;
  }>;
}

/** A rate limiter of the platform. */
export interface RateLimit {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

function binding<T>(method: keyof T & string, hint: string) {
  return z.custom<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      typeof (value as Record<string, unknown>)[method] === 'function',
    hint,
  );
}

const SHA256_HEX = /^[0-9a-f]{64}$/;

/** What `sha256sum` prints after the hash of its standard input. */
const SHA256SUM_NAME = /\s+\*?-$/;

/** One or two secrets, comma-separated: the first signs API keys, all verify them. */
export const KEY_SECRETS = z
  .string()
  .transform((text) => text.split(',').map((secret) => secret.trim()))
  .refine(
    (secrets) => secrets.every((secret) => secret.length >= 32),
    'each secret needs 32 characters or more',
  );

/** What is set as a secret of the Worker. */
export const SECRETS = z.object({
  /** `postgres://daybook_app:password@host/database` */
  DATABASE_URL: z.string().refine(isDatabaseUrl, 'must be a postgres:// URL'),
  DAYBOOK_KEY_SECRET: KEY_SECRETS,
  /** SHA-256 of the operator's keys, hex, comma-separated: none, one, or two during a rotation. */
  DAYBOOK_OPERATOR_KEY_HASHES: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((hash) => hash.trim().replace(SHA256SUM_NAME, ''))
        .filter((hash) => hash !== ''),
    )
    .refine(
      (hashes) => hashes.length <= 2 && hashes.every((hash) => SHA256_HEX.test(hash)),
      'at most two SHA-256 hashes',
    ),
});

const bindings = SECRETS.extend({
  /** What is promised where a request does not ask (docs/durability.md). */
  DAYBOOK_DEFAULT_ACK: z.enum(['accepted', 'queued', 'committed']).default('accepted'),
  QUEUE: binding<Queue>('sendBatch', 'wrangler.toml must bind a queue'),
  RATE_LIMIT: binding<RateLimit>('limit', 'wrangler.toml must bind a rate limiter'),
  /** The same for requests counted in lots of 50. */
  RATE_LIMIT_FIFTIES: binding<RateLimit>('limit', 'wrangler.toml must bind a rate limiter'),
  /** Set in development only: an endpoint on this machine that speaks Neon's protocol. */
  DAYBOOK_LOCAL_DATABASE: z.url().optional(),
});

/** The Worker's bindings, parsed. */
export type Env = z.infer<typeof bindings>;

/** The deployment is not configured; the message names each variable that is wrong and never its value. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/** @throws ConfigurationError */
export function parseEnv(raw: unknown, options: DaybookOptions = {}): Env {
  const { DAYBOOK_DEFAULT_ACK: ack, ...others } = (raw ?? {}) as Record<string, unknown>;
  const parsed = bindings.safeParse({
    ...others,
    DAYBOOK_DEFAULT_ACK: ack === undefined || ack === '' ? options.defaultAck : ack,
  });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigurationError(`The Worker is not configured: ${faults.join('; ')}. See docs/operations.md.`);
}

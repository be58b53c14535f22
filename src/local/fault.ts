import type { PostgresErrorFields } from './engine-errors.ts';

/** What may go wrong between a client and Neon, as a test orders it for one request. */
export type Fault =
  /** The connection breaks before anything runs. */
  | { kind: 'refuse' }
  /** Nothing runs and no answer comes, until the client gives up or the endpoint closes. */
  | { kind: 'hang' }
  /** Status 500 before anything runs: the compute does not wake, or the rate limit is met. */
  | { kind: 'unavailable'; message?: string }
  /** The statements run to their end, then the connection breaks. */
  | { kind: 'reset-after-commit' }
  /** The statements run to their end, then the answer is a 400; SQLSTATE 57P01 unless `error` says otherwise. */
  | { kind: 'error-after-commit'; error?: Partial<PostgresErrorFields> }
  /** Milliseconds to wait before the statements run, and between their end and the answer. */
  | { kind: 'delay'; beforeMs?: number; afterMs?: number };

/** What may go wrong while a request still arrives. */
export type EarlyFault =
  /** The connection breaks once half of the body has come. */
  { kind: 'reset-mid-request' };

/** A request that made it past the checks of the proxy. */
export interface SqlRequest {
  statements: readonly { readonly query: string; readonly params: readonly (string | null)[] }[];
  /** The how-manieth request since the endpoint started; the first is 1. */
  sequence: number;
}

export type Intercept = (request: SqlRequest) => Fault | undefined | Promise<Fault | undefined>;

/** Asked when only the head of a request has come. */
export type InterceptHead = () => EarlyFault | undefined;

/** What the proxy makes of a compute that goes away under a request. */
export const connectionClosed: PostgresErrorFields = {
  message: 'terminating connection due to administrator command',
  severity: 'FATAL',
  code: '57P01',
};

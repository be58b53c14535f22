import type { Catalogue, CatalogueDefinition } from '../events/catalogue.ts';
import { given, type CatalogueEvent } from './event.ts';
import { Audit } from './audit.ts';
import { httpTransport } from './http-transport.ts';
import { redactNames } from './redact-names.ts';
import { Buffer, type Size } from './buffer.ts';
import type { Redact } from './prepare.ts';
import { Sender, type SenderOptions } from './sender.ts';
import type { Logger } from './teller.ts';
import type { Transport } from './transport.ts';

export interface AuditOptions {
  /** of the deployment: `https://daybook.example.com` */
  url: string | undefined;
  /** with the scope `events:write` */
  apiKey: string | undefined;
  /** told what goes wrong, never what an event holds; the console unless given */
  logger?: Logger;
  /** applied to each event before it leaves the process, in place of redaction by the names of members */
  redact?: Redact;
  /** what a batch carries at most: events (500), and characters of their JSON (1 MiB) */
  batch?: Partial<Size>;
  /** ms that an event waits for others; 200 unless given */
  linger?: number;
  /** what may wait at most: events (10,000), and characters of their JSON (16 MiB) */
  buffer?: Partial<Size>;
  /** which event is dropped when more would wait; `newest` unless given, for the beginning of an incident tells most */
  drop?: 'newest' | 'oldest';
  /** ms that a batch may take; 15,000 unless given */
  timeout?: number;
  /** sends what waits when the process is about to end by itself; true unless given */
  flushOnExit?: boolean;
  /**
   * has the platform wait for a promise within the request that calls: `waitUntil` of `cloudflare:workers` or of
   * `@vercel/functions`. What is logged is then sent by its own request, at once
   */
  waitUntil?: (promise: Promise<unknown>) => void;
  fetch?: typeof fetch;
  /** what events are held to, before they leave the process; with its types for `log` and its like */
  catalogue?: Catalogue;
  /** takes the place of HTTP; tests collect events so */
  transport?: Transport;
}

const MIB = 1024 * 1024;

/**
 * Makes a logger of audit events, for a server: one for the whole process. Nothing is sent before the first event.
 * @throws TypeError when there is no URL or key to send with
 */
export function createAudit<const D extends CatalogueDefinition>(
  options: AuditOptions & { catalogue: Catalogue<D> },
): Audit<never, CatalogueEvent<D>>;
export function createAudit(options: AuditOptions): Audit;
export function createAudit(options: AuditOptions): Audit {
  const sender = new Sender(withDefaults(options));
  if (options.flushOnExit !== false) flushOnExit(sender);
  return new Audit(sender, {});
}

function withDefaults(options: AuditOptions): SenderOptions {
  const all = {
    url: '',
    apiKey: '',
    timeout: 15_000,
    logger: console,
    redact: redactNames,
    linger: 200,
    // Called as a function of its own: workerd's is bound to nothing else.
    fetch: ((input, init) => globalThis.fetch(input, init)) as typeof fetch,
    ...given(options),
  };
  if (!all.transport && !(/^https?:\/\/\w/i.test(all.url) && all.apiKey)) {
    throw new TypeError('createAudit needs a url (https://…) and an apiKey');
  }
  const most = { events: 10_000, characters: 16 * MIB, ...given(all.buffer ?? {}) };
  return {
    ...all,
    transport: all.transport ?? httpTransport(all),
    batch: { events: 500, characters: MIB, ...given(all.batch ?? {}) },
    buffer: new Buffer(most, all.drop === 'oldest', all.logger),
  };
}

/** Where there is a process; a signal that ends it is the application's to handle, with `close()`. */
function flushOnExit(sender: Sender): void {
  type Call = (event: string, run: () => void) => void;
  const { process } = globalThis as { process?: { on?: Call; off?: Call } };
  const finish = () => void sender.finish(10_000);
  process?.on?.('beforeExit', finish);
  sender.onClose = () => process?.off?.('beforeExit', finish);
}

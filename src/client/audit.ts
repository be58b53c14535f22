import { newId } from './new-id.ts';
import { complete, type AuditEvent, type Defaults, type Without } from './event.ts';
import type { Receipt, EventOutcome } from './transport.ts';
import type { Counts } from './buffer.ts';
import { nameOf } from './prepare.ts';
import type { Sender } from './sender.ts';

/** Why an event that was to be recorded is not known to be. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
  readonly code: string;

  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** What a Worker's `fetch` is given. */
export interface RequestContext {
  waitUntil(promise: Promise<unknown>): void;
}

/** ms; the platform grants 30 s after the answer. */
const IN_REQUEST = 25_000;

/** Records what happens. `Known` is what each event of it has already, `Event` what its catalogue takes. */
export class Audit<Known extends keyof AuditEvent = never, Event = AuditEvent> {
  readonly #sender: Sender;
  readonly #known: Defaults;
  readonly #request: RequestContext | undefined;

  constructor(sender: Sender, known: Defaults, request?: RequestContext) {
    this.#sender = sender;
    this.#known = known;
    this.#request = request;
  }

  /** How many events were stored, refused, dropped, and wait. */
  get counts(): Counts {
    return this.#sender.counts;
  }

  /**
   * Records an event, sooner or later: returns at once, and never throws. Its content is read now; what cannot be written as
   * JSON is written as text. What becomes of it, the logger is told only where it goes wrong.
   */
  log(event: Without<Known, Event>): void {
    this.#add(() => event);
  }

  /** Records an event. @returns its receipt, once it is committed @throws AuditError when it is not known to be */
  async record(event: Without<Known, Event>): Promise<Receipt> {
    const outcome = await new Promise<EventOutcome>((resolve) => this.#add(() => event, resolve));
    if (outcome.result === 'stored') return outcome.receipt;
    if (outcome.result === 'refused') throw new AuditError(outcome.code, outcome.detail);
    throw new AuditError('dropped', `dropped (${outcome.reason})`);
  }

  /** A logger of events that have this in common; members of an event go before it. */
  with<Given extends Defaults>(known: Given): Audit<Known | (keyof Given & keyof AuditEvent), Event> {
    return new Audit(this.#sender, complete(this.#known, known) as Defaults, this.#request);
  }

  /**
   * A logger for one request of a Worker, where nothing else goes on once the request is done: it sends what it is given
   * within the request's `waitUntil`, and keeps it apart from the events of others.
   */
  during(request: RequestContext): Audit<Known, Event> {
    return new Audit(this.#sender.fork(), this.#known, request);
  }

  /**
   * Does something, and records it with its outcome: `success`, `denied` where it throws an error of status 401 or 403,
   * `failure` where it throws another. What it gives or throws is passed on untouched; a promise, as
   * another one that ends alike.
   */
  withAudit<T>(event: Without<Known, Event>, deed: () => T): T {
    const succeeded = () => this.#add(() => ({ ...event, outcome: 'success' }));
    const failed = (error: unknown) => this.#add(() => ({ ...event, ...outcomeOf(error) }));
    let result: T;
    try {
      result = deed();
    } catch (error) {
      failed(error);
      throw error;
    }
    if (!isPromise(result)) {
      succeeded();
      return result;
    }
    // Its own `then` is called once: that is when a query builder begins.
    return result.then(
      (value) => {
        succeeded();
        return value;
      },
      (error: unknown) => {
        failed(error);
        throw error;
      },
    ) as T;
  }

  /** Sends what waits. @returns whether all of it was settled in time; ms, 10 s unless given */
  flush({ timeout = 10_000 }: { timeout?: number } = {}): Promise<boolean> {
    return this.#sender.flush(timeout);
  }

  /** The same, before the process ends: what is logged afterwards is dropped, and so is what could not be sent. */
  close({ timeout = 10_000 }: { timeout?: number } = {}): Promise<boolean> {
    return this.#sender.close(timeout);
  }

  #add(make: () => object, settle?: (outcome: EventOutcome) => void): void {
    try {
      const full = complete(this.#known, make());
      const [flaw] = this.#sender.check(full);
      if (flaw) return this.#sender.refuse('invalid_event', `${flaw.pointer}: ${flaw.detail}`, settle);
      const id = full.id ?? newId();
      this.#sender.add(String(id), written({ ...full, id }), settle);
    } catch (error) {
      this.#sender.refuse('unwritable', nameOf(error), settle);
      return;
    }
    try {
      this.#request?.waitUntil(this.#sender.finish(IN_REQUEST));
    } catch {
      // The request is over: the event waits for as long as the process lives.
    }
  }
}

/** A logger that middleware made of another for one request. */
export type RequestAudit<Logger> =
  Logger extends Audit<never, infer Event> ? Audit<'actor' | 'context', Event> : never;

/** Of an error only its name: its message may hold anything. */
function outcomeOf(error: unknown): Pick<AuditEvent, 'outcome' | 'reason'> {
  // Whatever was thrown, nothing but these is looked at.
  const { status, statusCode, name } = (error ?? {}) as {
    status?: unknown;
    statusCode?: unknown;
    name?: unknown;
  };
  const isDenied = [401, 403].some((code) => code === status || code === statusCode);
  return { outcome: isDenied ? 'denied' : 'failure', ...(typeof name === 'string' && { reason: name }) };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function written(event: object): string {
  try {
    return JSON.stringify(event);
  } catch {
    return JSON.stringify(event, plain());
  }
}

/** For what JSON cannot hold: big integers, and what contains itself. */
function plain() {
  const above: unknown[] = [];
  return function plain(this: unknown, _name: string, value: unknown): unknown {
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value;
    while (above.length > 0 && above.at(-1) !== this) above.pop();
    if (above.includes(value)) return '[circular]';
    above.push(value);
    return value;
  };
}

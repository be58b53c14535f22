import { newId } from './new-id.ts';
import { complete, type AuditEvent, type Defaults, type DefaultsOf, type Without } from './event.ts';
import type { Receipt } from './transport.ts';
import type { Counts, Outcome } from './buffer.ts';
import { nameOf } from './prepare.ts';
import type { Sender, WaitUntil } from './sender.ts';
import { after } from './settled.ts';
import { written } from './written.ts';

/** Why an event that was to be recorded is not known to be. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
  readonly code: string;

  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

const UNKNOWN: Outcome = { result: 'refused', code: 'timeout', detail: 'not known to be stored' };

/** What a Worker's `fetch` is given. */
export interface RequestContext {
  waitUntil: WaitUntil;
}

/** Records what happens. `Known` is what each event of it has already, `Event` what its catalogue takes. */
export class Audit<Known extends keyof AuditEvent = never, Event = AuditEvent> {
  readonly #sender: Sender;
  readonly #known: Defaults;

  constructor(sender: Sender, known: Defaults) {
    this.#sender = sender;
    this.#known = known;
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

  /**
   * Records an event. What takes longer than `timeout` (ms; for ever unless given) is tried further all the same.
   * @returns its receipt, once it is committed @throws AuditError when it is not known to be
   */
  async record(event: Without<Known, Event>, { timeout = Infinity } = {}): Promise<Receipt> {
    const outcome = await new Promise<Outcome>((resolve) => {
      // It keeps the process alive, too.
      const timer = after(timeout, () => resolve(UNKNOWN));
      this.#add(
        () => event,
        (outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        },
      );
    });
    if (outcome.result === 'stored') return outcome.receipt;
    throw new AuditError(outcome.code, outcome.detail);
  }

  /** A logger of events that have this in common; members of an event go before it. */
  with<Given extends DefaultsOf<Event>>(
    known: Given,
  ): Audit<Known | (keyof Given & keyof AuditEvent), Event> {
    return new Audit(this.#sender, complete(this.#known, known as Defaults) as Defaults);
  }

  /**
   * A logger for one request of a Worker, where nothing else goes on once the request is done: it sends what it is given
   * within the request's `waitUntil`, and keeps it apart from the events of others.
   */
  during(request: RequestContext): Audit<Known, Event> {
    return new Audit(
      this.#sender.fork((promise) => request.waitUntil(promise)),
      this.#known,
    );
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

  /** Tells the logger, at most once a minute, what an event lacks because finding it out failed: of an error its name. */
  tellMissing(what: string, error: unknown): void {
    this.#sender.buffer.tell('incomplete', what, `: ${nameOf(error)}`);
  }

  #add(make: () => object, settle?: (outcome: Outcome) => void): void {
    try {
      const full = complete(this.#known, make());
      const madeAt = full.id ? undefined : Date.now();
      const id = String(full.id ?? newId());
      this.#sender.add(id, written({ ...full, id }), madeAt, settle);
    } catch (error) {
      this.#sender.refuse('unwritable', nameOf(error), settle);
    }
  }
}

/** A logger that middleware made of another for one request. */
export type RequestAudit<Logger> =
  Logger extends Audit<never, infer Event> ? Audit<'actor' | 'context', Event> : never;

/** Of an error only its name: its message may hold anything. */
function outcomeOf(error: unknown): Pick<AuditEvent, 'outcome' | 'reason'> {
  // Whatever was thrown, nothing but these is looked at.
  const { status, statusCode, name, digest } = (error ?? {}) as Record<string, unknown>;
  const ofNext = String(digest);
  if (ofNext.startsWith('NEXT_REDIRECT')) return { outcome: 'success' };
  const code = Number(status ?? statusCode ?? ofNext.slice(-3));
  return {
    outcome: code === 401 || code === 403 ? 'denied' : 'failure',
    ...(typeof name === 'string' && { reason: name }),
  };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
  } catch {
    return false;
  }
}

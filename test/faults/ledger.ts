import type { TestEvent } from './event.ts';

/** What answers promise, from the weakest to the strongest. */
export const ACKS = ['accepted', 'queued', 'committed'] as const;
export type Ack = (typeof ACKS)[number];

export interface Acknowledgement {
  ack: Ack;
  /** ms since the run began */
  at: number;
  /** which life of the Worker gave it */
  life: number;
}

/** What the clients know of one event. */
export interface Sent {
  id: string;
  checksum: string;
  hasAddress: boolean;
  relatedTargets: number;
  acks: Acknowledgement[];
}

/** What was sent and promised: the only thing that the database is judged by. */
export class Ledger {
  readonly sent = new Map<string, Sent>();
  /** answers that no valid event should meet, by status and code */
  readonly unexpected: Record<string, number> = {};
  /** attempts that had to be made again, by reason */
  readonly retries: Record<string, number> = {};
  /** by life that was killed: what it had acknowledged, and was not in the database right after */
  readonly held = new Map<number, ReadonlySet<string>>();
  requests = 0;
  resends = 0;
  readonly #startedAt = performance.now();

  /** ms since the run began */
  now(): number {
    return performance.now() - this.#startedAt;
  }

  send({ id, content, checksum }: TestEvent): Sent {
    const hasAddress = content.ip_address !== undefined;
    const sent = { id, checksum, hasAddress, relatedTargets: content.related?.length ?? 0, acks: [] };
    this.sent.set(id, sent);
    return sent;
  }

  acknowledge(id: string, ack: Ack, life: number): void {
    this.sent.get(id)?.acks.push({ ack, at: this.now(), life });
  }

  count(where: 'unexpected' | 'retries', name: string): void {
    this[where][name] = (this[where][name] ?? 0) + 1;
  }

  /** Ids that this life acknowledged without having stored them first. */
  promisedBy(life: number): string[] {
    return this.ids(({ acks }) => acks.some((given) => given.life === life && given.ack !== 'committed'));
  }

  /** Ids that must be in the database by the end. */
  owed(): string[] {
    return this.ids((sent) => this.owedAck(sent) !== undefined);
  }

  /** The strongest promise that binds: one of a life that was killed while it held the event does not. */
  owedAck({ id, acks }: Sent): Ack | undefined {
    const binding = acks.filter(({ ack, life }) => ack === 'committed' || !this.held.get(life)?.has(id));
    return strongest(binding);
  }

  ids(which: (sent: Sent) => boolean): string[] {
    return [...this.sent.values()].filter(which).map(({ id }) => id);
  }
}

/** @returns nothing where nothing was promised */
export function strongest(acks: readonly Acknowledgement[]): Ack | undefined {
  return ACKS.findLast((ack) => acks.some((given) => given.ack === ack));
}

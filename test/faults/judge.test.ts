import { describe, expect, test } from 'vitest';
import { makeEvent } from './event.ts';
import { judge, type Evidence } from './judge.ts';
import { Ledger, type Ack } from './ledger.ts';
import type { Stored } from './stored.ts';
import { CRASHED, DEAD_LETTER, DROPPED } from './tally.ts';

/** A run of one event that kept every promise; a test spoils it. */
class Run implements Evidence {
  readonly ledger = new Ledger();
  readonly event = makeEvent(1, 1);
  readonly row: Stored;
  stored: Stored[];
  deadLetters = 0;
  missingPartitions = 0;
  lines = {};

  constructor(...acks: { ack: Ack; life: number }[]) {
    const { id, checksum, content } = this.event;
    const addresses = Number(content.ip_address !== undefined);
    this.row = { id, checksum, rows: 1, pending: 1, addresses, targets: content.related?.length ?? 0 };
    this.stored = [this.row];
    this.ledger.send(this.event);
    for (const { ack, life } of acks) this.ledger.acknowledge(id, ack, life);
  }

  /** The Worker of that life was killed, and the event was not in the database. */
  killed(life: number): this {
    this.ledger.held.set(life, new Set([this.event.id]));
    return this;
  }

  nothingStored(): this {
    this.stored = [];
    return this;
  }

  judge() {
    return judge(this);
  }
}

const accepted = { ack: 'accepted', life: 1 } as const;
const queued = { ack: 'queued', life: 1 } as const;
const committed = { ack: 'committed', life: 1 } as const;

describe('a run keeps its promises', () => {
  test.each([accepted, queued, committed])('when what was $ack is stored once and as it was sent', (ack) => {
    const { broken, stored, acknowledged } = new Run(ack).judge();
    expect(broken).toEqual([]);
    expect(stored).toBe(1);
    expect(acknowledged[ack.ack]).toBe(1);
  });

  test.each([accepted, queued])('when what was $ack is gone with the Worker that held it', (ack) => {
    const verdict = new Run(ack).killed(1).nothingStored().judge();
    expect(verdict.broken).toEqual([]);
    expect([verdict.heldByKilled[ack.ack], verdict.goneWithKilled[ack.ack]]).toEqual([1, 1]);
  });

  test('when an event that a killed Worker held is stored all the same', () => {
    const verdict = new Run(accepted).killed(1).judge();
    expect(verdict).toMatchObject({
      broken: [],
      heldByKilled: { accepted: 1 },
      goneWithKilled: { accepted: 0 },
    });
  });
});

describe('a run breaks its promise', () => {
  test.each([accepted, queued, committed])('when what was $ack is not stored', (ack) => {
    const verdict = new Run(ack).nothingStored().judge();
    expect(verdict.broken).toEqual([`1 events acknowledged as ${ack.ack} are lost`]);
    expect(verdict.lost[ack.ack]).toBe(1);
  });

  test('when what was committed is not stored, killed Worker or not', () => {
    const verdict = new Run(accepted, committed).killed(1).nothingStored().judge();
    expect(verdict.broken).toEqual(['1 events acknowledged as committed are lost']);
  });

  test('when another life acknowledged the event than the one that was killed', () => {
    const verdict = new Run(queued, { ack: 'accepted', life: 2 }).killed(1).nothingStored().judge();
    expect(verdict.broken).toEqual(['1 events acknowledged as accepted are lost']);
  });

  test('when the killed Worker held other events', () => {
    const run = new Run(accepted).nothingStored();
    run.ledger.held.set(1, new Set([makeEvent(1, 2).id]));
    expect(run.judge().broken).toEqual(['1 events acknowledged as accepted are lost']);
  });

  test.each<[string, Partial<Stored>]>([
    ['1 events are stored more than once', { rows: 2 }],
    ['1 events are stored more than once', { pending: 2 }],
    ['1 events are stored with other content than was sent', { checksum: 'another' }],
    ['1 events lack', { pending: 0 }],
    ['1 events lack', { addresses: 7 }],
    ['1 events lack', { targets: 7 }],
  ])('and says: %s', (said, spoilt) => {
    const run = new Run(committed);
    Object.assign(run.row, spoilt);
    expect(run.judge().broken).toEqual([expect.stringContaining(said)]);
  });

  test('when an address is stored without its event', () => {
    const run = new Run();
    Object.assign(run.row, { rows: 0, pending: 0 });
    run.row.addresses = 1;
    expect(run.judge().broken).toContainEqual(expect.stringContaining('or these lack their event'));
  });

  test('when an event is stored that nobody sent', () => {
    const run = new Run(committed);
    run.stored.push({ ...run.row, id: makeEvent(1, 2).id });
    expect(run.judge().broken).toEqual(['1 events are stored that nobody sent']);
  });

  test('when an event was never acknowledged, stored or not', () => {
    expect(new Run().judge().broken).toEqual([
      '1 events were never acknowledged, although the faults were over',
    ]);
  });

  test('when a valid event was refused', () => {
    const run = new Run(committed);
    run.ledger.count('unexpected', '409 conflict');
    expect(run.judge().broken).toEqual(['1 valid events were answered "409 conflict"']);
  });

  test('when there are dead letters, crashes or missing partitions', () => {
    const run = new Run(committed);
    run.deadLetters = 2;
    run.missingPartitions = 3;
    run.lines = { [DEAD_LETTER]: 4, [DROPPED]: 5, [CRASHED]: 6, accepted_not_stored: 7 };
    expect(run.judge().broken).toEqual([
      '2 events are in the table of dead letters',
      '4 messages went to the dead-letter queue',
      '5 messages were dropped by the queue',
      '6 times workerd ended by itself',
      '3 partitions are missing',
    ]);
  });
});

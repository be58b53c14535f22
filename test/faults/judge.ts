import { ACKS, strongest, type Ack, type Ledger } from './ledger.ts';
import type { Stored } from './stored.ts';
import { CRASHED, DEAD_LETTER, DROPPED } from './tally.ts';

/** What is known when all has settled. */
export interface Evidence {
  ledger: Ledger;
  stored: readonly Stored[];
  /** rows of the table of dead letters; 0 where there is none */
  deadLetters: number;
  /** of the logs, by name */
  lines: Readonly<Record<string, number>>;
  /** partitions that ought to be there and are not */
  missingPartitions: number;
}

type ByAck = Record<Ack, number>;

export interface Verdict {
  sent: number;
  /** events by the strongest promise that was given for them */
  acknowledged: ByAck;
  stored: number;
  lost: ByAck;
  /** acknowledged by a Worker that was killed before they were stored, and how many of them are nowhere */
  heldByKilled: ByAck;
  goneWithKilled: ByAck;
  storedTwice: number;
  changed: number;
  incomplete: number;
  strangers: number;
  neverAcknowledged: number;
  /** each broken promise in words; none when all were kept */
  broken: string[];
}

/** Holds what is stored against what was sent and promised. Pure: all it knows is the evidence. */
export function judge(evidence: Evidence): Verdict {
  const { ledger, stored } = evidence;
  const found = new Map(stored.filter(({ rows }) => rows > 0).map((entry) => [entry.id, entry]));
  const verdict: Verdict = {
    sent: ledger.sent.size,
    acknowledged: none(),
    stored: found.size,
    lost: none(),
    heldByKilled: none(),
    goneWithKilled: none(),
    storedTwice: stored.filter(({ rows, pending }) => rows > 1 || pending > 1).length,
    changed: 0,
    incomplete: 0,
    strangers: stored.filter(({ id }) => !ledger.sent.has(id)).length,
    neverAcknowledged: 0,
    broken: [],
  };
  for (const sent of ledger.sent.values()) {
    const promised = strongest(sent.acks);
    if (promised === undefined) verdict.neverAcknowledged += 1;
    else verdict.acknowledged[promised] += 1;

    const held = strongest(sent.acks.filter(({ life }) => ledger.held.get(life)?.has(sent.id)));
    if (held !== undefined) verdict.heldByKilled[held] += 1;

    const entry = found.get(sent.id);
    if (entry === undefined) {
      const owed = ledger.owedAck(sent);
      if (owed !== undefined) verdict.lost[owed] += 1;
      else if (held !== undefined) verdict.goneWithKilled[held] += 1;
      continue;
    }
    if (entry.checksum !== sent.checksum) verdict.changed += 1;
    const isWhole =
      entry.pending > 0 &&
      entry.addresses === Number(sent.hasAddress) &&
      entry.targets === sent.relatedTargets;
    if (!isWhole) verdict.incomplete += 1;
  }
  // Rows of other tables that belong to no event.
  verdict.incomplete += stored.filter(({ id, rows }) => rows === 0 && ledger.sent.has(id)).length;
  verdict.broken = brokenPromises(verdict, evidence);
  return verdict;
}

function brokenPromises(
  verdict: Verdict,
  { ledger, deadLetters, lines, missingPartitions }: Evidence,
): string[] {
  const counts: [number, string][] = [
    ...ACKS.map((ack): [number, string] => [verdict.lost[ack], `events acknowledged as ${ack} are lost`]),
    [verdict.storedTwice, 'events are stored more than once'],
    [verdict.changed, 'events are stored with other content than was sent'],
    [
      verdict.incomplete,
      'events lack their address, targets or log entry, or have too many, or these lack their event',
    ],
    [verdict.strangers, 'events are stored that nobody sent'],
    [verdict.neverAcknowledged, 'events were never acknowledged, although the faults were over'],
    [deadLetters, 'events are in the table of dead letters'],
    [lines[DEAD_LETTER] ?? 0, 'messages went to the dead-letter queue'],
    [lines[DROPPED] ?? 0, 'messages were dropped by the queue'],
    [lines[CRASHED] ?? 0, 'times workerd ended by itself'],
    [missingPartitions, 'partitions are missing'],
    ...Object.entries(ledger.unexpected).map(([what, count]): [number, string] => {
      return [count, `valid events were answered "${what}"`];
    }),
  ];
  return counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
}

function none(): ByAck {
  return { accepted: 0, queued: 0, committed: 0 };
}

import type { PreparedEvent } from '../events/prepare.ts';
import { crossRequestPromise, within } from '../http/within.ts';
import { board, holds } from './board.ts';
import { reportOf } from './flush-report.ts';
import { Group, type WriteOutcome } from './group.ts';
import { persistently, type Send } from './send.ts';
import { TokenBucket } from './token-bucket.ts';
import { DEFAULTS, type WriterOptions } from './writer-options.ts';

/** How many requests stay to take over from leaders that die; one of them may die too. */
const STAND_BY = 2;

/** A call under way, or about to be made. */
interface Underway {
  readonly leader: Group;
  groups: readonly Group[];
  /** ms since 1970; `Infinity` while nothing is aboard */
  boardedAt: number;
  /** the leader counts as dead from this time on */
  aliveUntil: number;
  /** ends the leader's linger */
  hurry: () => void;
}

/**
 * Group commit: while a flush is under way, arriving events wait, and leave together in the next. Others start beside it
 * with a full call, so that neither the isolate nor the database waits for the other, or where it is held up.
 *
 * workerd may cancel what a finished request left running, so no loop outlives its request: each flush is led by one of
 * the waiting requests, and when it ends the lead passes to the one that waited longest. Every waiting request watches the
 * leaders and takes over from a dead one. Sending twice is harmless: an event is stored once.
 *
 * A lone event leaves at once. Only a flush that others waited for lingers a little, so that calls stay few and full, and
 * any flush while what it sends to is held up.
 */
export class Writer {
  readonly #options: Required<WriterOptions>;
  readonly #send: Send;
  readonly #bucket: TokenBucket;
  #waiting: Group[] = [];
  #flushes: Underway[] = [];
  #standingBy: Group[] = [];
  #flushedAt = -Infinity;

  constructor(options: WriterOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#send = persistently(this.#options.send);
    this.#bucket = new TokenBucket(this.#options.rate, this.#options.burst);
  }

  /** Whether a leader died with events that only the next request of this writer can see to. */
  get isStuck(): boolean {
    return this.#deadFlushes().length > 0;
  }

  /** Gives up what nobody waits for any more: the requests of such events were cancelled, or they would have done it. */
  expire(): void {
    const now = Date.now();
    for (const group of [...this.#waiting, ...this.#flushes.flatMap(({ groups }) => groups)]) {
      if (now >= group.giveUpAt + this.#options.leaderLimit) group.settleRest({ result: 'unavailable' });
    }
  }

  /**
   * Sends the events of one request; run it in `waitUntil`, for others' events may travel with it.
   * @param options.atomic all or nothing
   * @param options.onSettled told the outcomes once all are known, even where this request is cancelled before
   * @param options.waitUntil keeps the request for what it does after its own events
   * @returns an outcome for each event, in order
   */
  async write(
    events: readonly PreparedEvent[],
    options: {
      atomic?: boolean;
      onSettled?(outcomes: readonly WriteOutcome[]): void;
      waitUntil?(promise: Promise<void>): void;
    } = {},
  ): Promise<readonly WriteOutcome[]> {
    const { atomic = false, onSettled, waitUntil } = options;
    const group: Group = new Group(events, {
      atomic,
      giveUpAt: Date.now() + this.#options.patience,
      onSettled: (outcomes) => {
        this.#options.room.leave(group.bytes);
        onSettled?.(outcomes);
      },
    });
    this.#options.room.enter(group.bytes);
    this.#waiting.push(group);
    if (this.#isPressing()) for (const flush of this.#flushes) flush.hurry();
    while (group.open > 0) {
      if (Date.now() >= group.giveUpAt) group.settleRest({ result: 'unavailable' });
      else if (this.#mayLead(group)) await this.#lead(group);
      else await this.#watch(group);
    }
    // It may have been called to lead just as the last of its events was settled.
    for (const flush of this.#flushes) if (flush.leader === group) this.#passOn(flush);
    if (group.wentAround) waitUntil?.(this.#standBy(group.giveUpAt));
    return group.outcomes;
  }

  /**
   * Stays until the flushes that its request went around have ended, and takes over from a leader that died: nobody else may
   * come. A few do for that.
   */
  async #standBy(until: number): Promise<void> {
    this.#standingBy = this.#standingBy.filter(({ giveUpAt }) => Date.now() < giveUpAt);
    if (this.#standingBy.length >= STAND_BY) return;
    // Not the request's own group: nothing counts what it holds any more.
    const nobody = new Group([], { atomic: false, giveUpAt: until, onSettled: () => {} });
    this.#standingBy.push(nobody);
    while (Date.now() < until && this.#flushes.some((flush) => this.#isSlow(flush))) {
      if (this.#deadFlushes().length > 0) await this.#lead(nobody);
      else await this.#watch(nobody);
    }
    this.#standingBy = this.#standingBy.filter((other) => other !== nobody);
  }

  #mayLead(group: Group): boolean {
    if (this.#flushes.some(({ leader }) => leader === group)) return true;
    // Whoever sees a dead leader takes over, also where its own events travel with another: there may be nobody else.
    if (this.#deadFlushes().length > 0) return true;
    return this.#waiting.includes(group) && this.#mayStart();
  }

  /**
   * Another flush may start: there is none, or there is room for one and enough for it to carry. Where they are held up,
   * one more goes around them.
   */
  #mayStart(): boolean {
    const { flushes, fullEvents, isHeldUp } = this.#options;
    if (this.#flushes.length === 0) return true;
    if (this.#flushes.length < flushes && holds(this.#waiting, fullEvents)) return true;
    if (this.#flushes.length > flushes) return false;
    // One that has not boarded yet takes whatever waits.
    const areAllGone = this.#flushes.every(({ boardedAt }) => boardedAt < Infinity);
    return areAllGone && (isHeldUp() || this.#flushes.every((flush) => this.#isSlow(flush)));
  }

  #isSlow({ boardedAt }: Underway): boolean {
    return Date.now() - boardedAt >= this.#options.slow;
  }

  #deadFlushes(): Underway[] {
    const now = Date.now();
    return this.#flushes.filter(({ aliveUntil }) => now >= aliveUntil);
  }

  #isPressing(): boolean {
    return holds(this.#waiting, this.#options.lingerEvents);
  }

  /** Waits until the group is settled or is to lead, or until there is reason to look again. */
  async #watch(group: Group): Promise<void> {
    // Also when it may go around those under way.
    const slowAt = this.#flushes
      .map(({ boardedAt }) => boardedAt + this.#options.slow)
      .filter((at) => at > Date.now());
    const until = Math.min(group.giveUpAt, ...this.#flushes.map(({ aliveUntil }) => aliveUntil), ...slowAt);
    const woken = crossRequestPromise();
    group.wake = woken.resolve;
    await within(Math.max(1, until - Date.now()), woken.promise);
  }

  async #lead(leader: Group): Promise<void> {
    const underLoad = this.#flushes.length > 0 || this.#options.isHeldUp();
    this.#takeOver(leader);
    const flush = this.#flushes.find((known) => known.leader === leader) ?? this.#appoint(leader);
    this.#touch(flush);
    if (underLoad && !this.#isPressing()) await this.#linger(flush);
    const rush = this.#bucket.take();
    if (rush > 0) await this.#options.pause(rush);
    if (!this.#flushes.includes(flush)) return;
    const startedAt = Date.now();
    this.#flushedAt = startedAt;
    const others = this.#flushes.filter((other) => other !== flush);
    const isDetour = others.length > 0 && others.every((other) => this.#isSlow(other));
    leader.wentAround ||= isDetour;
    flush.groups = this.#board();
    flush.boardedAt = startedAt;
    const { pause } = this.#options;
    const onProgress = () => this.#touch(flush);
    await this.#send(flush.groups, { pause, onProgress, until: leader.giveUpAt, isDetour });
    this.#options.onFlush(reportOf(flush.groups, Date.now() - startedAt));
    if (this.#flushes.includes(flush)) this.#passOn(flush);
  }

  #appoint(leader: Group): Underway {
    const flush: Underway = { leader, groups: [], boardedAt: Infinity, aliveUntil: 0, hurry: () => {} };
    this.#touch(flush);
    this.#flushes.push(flush);
    return flush;
  }

  /** What dead leaders carried goes first, whoever leads now: its own requests may be dead too. */
  #takeOver(leader: Group): void {
    const dead = this.#deadFlushes().filter((flush) => flush.leader !== leader);
    if (dead.length === 0) return;
    this.#flushes = this.#flushes.filter((flush) => !dead.includes(flush));
    const orphans = dead.flatMap(({ groups }) => groups);
    for (const flush of dead) flush.leader.abandoned = true;
    for (const group of orphans) group.tried = true;
    this.#waiting = [...orphans, ...this.#waiting];
  }

  async #linger(flush: Underway): Promise<void> {
    const remaining = this.#flushedAt + this.#options.linger - Date.now();
    if (remaining <= 0) return;
    const hurried = crossRequestPromise();
    flush.hurry = hurried.resolve;
    await Promise.race([hurried.promise, this.#options.pause(remaining)]);
  }

  /** Takes off the waiting list what the next call carries, be the leader's own events among it or not. */
  #board(): readonly Group[] {
    const aboard = board(this.#waiting, this.#options);
    this.#waiting = this.#waiting.filter((group) => group.open > 0 && !aboard.has(group));
    return [...aboard];
  }

  /** The leader lives. */
  #touch(flush: Underway): void {
    flush.aliveUntil = Date.now() + this.#options.leaderLimit;
  }

  /** Ends a flush: what it could not settle waits again, and the first in line that lives leads on. */
  #passOn(flush: Underway): void {
    this.#flushes = this.#flushes.filter((other) => other !== flush);
    this.#waiting = [...flush.groups, ...this.#waiting].filter((group) => group.open > 0);
    const next = this.#waiting.find(
      (group) => !group.abandoned && this.#flushes.every(({ leader }) => leader !== group),
    );
    if (next === undefined || !this.#mayStart()) return;
    this.#appoint(next);
    next.wake();
  }
}

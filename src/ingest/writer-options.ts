import type { FlushReport } from './flush-report.ts';
import type { Room } from './room.ts';
import type { Send } from './send.ts';

export interface WriterOptions {
  /** gets groups to where their ack promises, once; what it leaves open is tried again */
  send: Send;
  /** what may wait or be under way in this isolate */
  room: Room;
  /** ms without progress after which a flush's leader counts as dead; more than a call may take */
  leaderLimit?: number;
  /** ms after which a request's events are given up: `waitUntil` grants 30 s, and the last attempt may take 12 */
  patience?: number;
  /** calls under way at once, and how many waiting events make another worth it */
  flushes?: number;
  fullEvents?: number;
  /** ms after which a flush counts as held up */
  slow?: number;
  /** what one call carries at most, unless a single request brings more */
  maxEvents?: number;
  maxBytes?: number;
  /** flushes a second, and how many may come at once after a pause */
  rate?: number;
  burst?: number;
  /** ms between the starts of flushes under load, unless this many events wait; 0 where clients wait for the outcome */
  linger?: number;
  lingerEvents?: number;
  /** whether what it sends to fails or hangs: then a call under way holds up no others, and a lone event lingers too */
  isHeldUp?(): boolean;
  /** told of each flush that ended, for the log */
  onFlush?(report: FlushReport): void;
  /** waits; a test lets a leader die here */
  pause?(ms: number): Promise<void>;
}

export const DEFAULTS = {
  leaderLimit: 8000,
  patience: 17_000,
  flushes: 3,
  fullEvents: 500,
  slow: 1000,
  maxEvents: 1000,
  // Neon takes 10 MiB in a call, where quotes and backslashes are written as two bytes.
  maxBytes: 4 * 1024 * 1024,
  rate: 90,
  burst: 10,
  linger: 0,
  lingerEvents: 100,
  isHeldUp: () => false,
  onFlush: () => {},
  pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
} satisfies Omit<Required<WriterOptions>, 'send' | 'room'>;

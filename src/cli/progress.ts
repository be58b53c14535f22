const ON_A_TERMINAL_MS = 100;
const ELSEWHERE_MS = 10_000;
const BAR_WIDTH = 30;

interface Mark {
  done: number;
  rows: number;
  /** by `performance.now()` */
  at: number;
}

/** Shows on standard error how far a long command is: a bar on a terminal, elsewhere a line now and then. */
export class ProgressBar {
  readonly #total: number;
  readonly #output: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
  #first: Mark | undefined;
  #shownAt = performance.now();

  /** @param total what `done` will be in the end, about */
  constructor(total: number, output: Pick<NodeJS.WriteStream, 'write' | 'isTTY'> = process.stderr) {
    this.#total = total;
    this.#output = output;
  }

  /** @param rows how many rows what is done holds */
  show(done: number, rows: number): void {
    const now = { done, rows, at: performance.now() };
    // A rate is one of this run: what an interrupted one did lies before its first page.
    this.#first ??= now;
    if (now.at - this.#shownAt < (this.#output.isTTY ? ON_A_TERMINAL_MS : ELSEWHERE_MS)) return;
    this.#shownAt = now.at;
    const text = progressText(this.#first, now, this.#total);
    const share = Math.min(1, done / Math.max(1, this.#total));
    const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
    this.#output.write(this.#output.isTTY ? `\r\x1b[K${bar} ${text}` : `${text}\n`);
  }

  /** Leaves the line to what comes next. */
  end(): void {
    if (this.#output.isTTY) this.#output.write('\r\x1b[K');
  }
}

/** How far, how fast and how long yet, by what was done between two moments. */
export function progressText(first: Mark, now: Mark, total: number): string {
  const seconds = Math.max((now.at - first.at) / 1000, 0.001);
  const share = Math.floor(100 * Math.min(1, now.done / Math.max(1, total)));
  const rate = Math.round((now.rows - first.rows) / seconds);
  const speed = (now.done - first.done) / seconds;
  const left = speed > 0 ? `, ${duration((total - now.done) / speed)} left` : '';
  return `${share} %  ${now.rows.toLocaleString('en-US')} rows, ${rate.toLocaleString('en-US')}/s${left}`;
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

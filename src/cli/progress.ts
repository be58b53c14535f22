/** Shows how far a long command is: a bar on a terminal, elsewhere a line now and then. On standard error. */
export class ProgressBar {
  readonly #total: number;
  readonly #startedAt = performance.now();
  #first: { done: number; rows: number } | undefined;
  #shownAt = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /**
   * @param done of the total
   * @param rows how many rows that is
   */
  show(done: number, rows: number): void {
    this.#first ??= { done, rows };
    const now = performance.now();
    const { isTTY } = process.stderr;
    if (now - this.#shownAt < (isTTY ? 100 : 10_000) && done < this.#total) return;
    // Elsewhere the first line comes after a while: short imports need none.
    if (!isTTY && this.#shownAt === 0) {
      this.#shownAt = this.#startedAt;
      return;
    }
    this.#shownAt = now;
    const text = this.#text(done, rows, (now - this.#startedAt) / 1000, this.#first);
    process.stderr.write(isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }

  #text(done: number, rows: number, seconds: number, first: { done: number; rows: number }): string {
    const share = this.#total === 0 ? 1 : Math.min(1, done / this.#total);
    const rate = (rows - first.rows) / Math.max(seconds, 0.001);
    const speed = (done - first.done) / Math.max(seconds, 0.001);
    const left = speed > 0 ? `, ${duration((this.#total - done) / speed)} left` : '';
    const bar = '█'.repeat(Math.round(share * 30)).padEnd(30, '░');
    const drawn = process.stderr.isTTY ? `${bar} ` : '';
    return `${drawn}${Math.floor(share * 100)} %  ${rows.toLocaleString('en-US')} rows, ${Math.round(rate).toLocaleString('en-US')}/s${left}`;
  }
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

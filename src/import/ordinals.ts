import { hash } from 'node:crypto';

/** Of 52 bits, what a number holds exactly; 0 marks a free slot. */
const DIGEST_DIGITS = 13;
const FIRST_SLOTS = 1024;

/**
 * Counts how often each content came, so that rows without ids are told apart: a row is the n-th of its content, wherever it
 * stands. Takes 16 to 32 bytes for each content. Two contents of one digest share a count, which makes none of them another's.
 */
export class Ordinals {
  #digests = new Float64Array(FIRST_SLOTS);
  #counts = new Uint32Array(FIRST_SLOTS);
  /** contents that came */
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns how often the content came before */
  next(content: string): number {
    if (this.#size * 4 > this.#digests.length * 3) this.#grow();
    const digest = Number.parseInt(hash('sha256', content, 'hex').slice(0, DIGEST_DIGITS), 16) || 1;
    const slot = this.#slotOf(digest);
    const before = this.#counts[slot] ?? 0;
    if (before === 0) this.#size += 1;
    this.#digests[slot] = digest;
    this.#counts[slot] = before + 1;
    return before;
  }

  /** Where the digest is, or may be put. */
  #slotOf(digest: number): number {
    const slots = this.#digests.length;
    let slot = digest % slots;
    while (this.#digests[slot] !== 0 && this.#digests[slot] !== digest) slot = (slot + 1) % slots;
    return slot;
  }

  #grow(): void {
    const [digests, counts] = [this.#digests, this.#counts];
    this.#digests = new Float64Array(digests.length * 2);
    this.#counts = new Uint32Array(digests.length * 2);
    for (const [place, digest] of digests.entries()) {
      if (digest === 0) continue;
      const slot = this.#slotOf(digest);
      this.#digests[slot] = digest;
      this.#counts[slot] = counts[place] ?? 0;
    }
  }
}

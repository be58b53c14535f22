/** Counts the bytes that wait or are under way in an isolate, which has 128 MB for everything. */
export class Room {
  readonly #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param beyond bytes that may be taken over the limit, where they soon leave */
  has(bytes: number, beyond = 0): boolean {
    return this.#taken + bytes <= this.#limit + beyond;
  }

  enter(bytes: number): void {
    this.#taken += bytes;
  }

  leave(bytes: number): void {
    this.#taken -= bytes;
  }
}

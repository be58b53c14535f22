/** How much one call or message carries, and how much an item takes of it. */
export interface Size {
  count: number;
  bytes: number;
}

/**
 * Cuts a list into pieces that hold no more than `most`, in order, as few as that allows. An item that alone exceeds it is
 * a piece of its own.
 */
export function chunksOf<T>(items: Iterable<T>, most: Size, sizeOf: (item: T) => Size): T[][] {
  const chunks: T[][] = [];
  let held: Size = { count: 0, bytes: 0 };
  for (const item of items) {
    const { count, bytes } = sizeOf(item);
    const last = chunks.at(-1);
    const fits = held.count + count <= most.count && held.bytes + bytes <= most.bytes;
    if (last !== undefined && fits) last.push(item);
    else {
      chunks.push([item]);
      held = { count: 0, bytes: 0 };
    }
    held = { count: held.count + count, bytes: held.bytes + bytes };
  }
  return chunks;
}

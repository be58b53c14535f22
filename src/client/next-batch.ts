import type { Waiting } from './buffer.ts';

/** The next batch: as many as it carries of those whose time has come; what goes alone, once nothing else does. */
export function nextBatch(waiting: Iterable<Waiting>, mostEvents: number, mostCharacters: number): Waiting[] {
  const batch: Waiting[] = [];
  const now = performance.now();
  let characters = 0;
  let alone: Waiting | undefined;
  for (const event of waiting) {
    if (event.notBefore > now) continue;
    if (event.isAlone) {
      alone ??= event;
      continue;
    }
    characters += event.json.length;
    if (batch[0] && characters > mostCharacters) break;
    batch.push(event);
    if (batch.length >= mostEvents) break;
  }
  if (alone && !batch[0]) batch.push(alone);
  return batch;
}

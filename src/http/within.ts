/** What a promise gives within so many ms; nothing when it takes longer. It goes on all the same. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  if (ms <= 0) return undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

/**
 * A promise that another request may resolve. workerd marks each promise with the request that made it and brings what
 * follows back there, but not where V8 has optimised `new Promise(…)`: then what follows is lost. Only `withResolvers`,
 * `race` and their like are always marked. Wait for it with a limit all the same: the other request may be cancelled.
 */
export function crossRequestPromise(): PromiseWithResolvers<void> {
  return Promise.withResolvers<void>();
}

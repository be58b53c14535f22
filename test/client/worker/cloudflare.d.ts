/** What the runtime has of it that a test uses. */
declare module 'cloudflare:workers' {
  export function waitUntil(promise: Promise<unknown>): void;
}

import { uuidv7 } from 'uuidv7';
import type { Deployment } from './deployment.ts';

/** An answer: its status, headers and parsed body. */
export interface Answer {
  status: number;
  headers: Headers;
  // Tests compare the body as a whole or in parts; what it is, is for them to claim.
  body: ReturnType<typeof JSON.parse>;
}

/** Requests with one key. A body that is a string or bytes goes out as it is, anything else as JSON. */
export function clientOf(deployment: Deployment, key: string | undefined) {
  async function send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const raw = typeof body === 'string' || body instanceof Uint8Array || body === undefined;
    const response = await fetch(new URL(path, deployment.url), {
      method,
      headers: {
        ...(key !== undefined && { Authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get('Content-Type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: json && text !== '' ? JSON.parse(text) : text,
    };
  }
  return {
    send,
    get: (path: string, headers?: Record<string, string>) => send('GET', path, undefined, headers),
    post: (path: string, body: unknown, headers?: Record<string, string>) =>
      send('POST', path, body, headers),
  };
}

export type Client = ReturnType<typeof clientOf>;

/** A small valid event, with an id of its own. */
export function anEvent(fields: Record<string, unknown> = {}): Record<string, unknown> & { id: string } {
  const actor = { type: 'user', id: 'u_1' };
  return { id: uuidv7(), action: 'user.logged_in', actor, target: { type: 'session' }, ...fields } as never;
}

import { expect } from 'vitest';
import type { Client } from './client.ts';

/** Posts an event that is not valid. @returns what is wrong with it: `pointer code` for each place */
export async function flawsOf(client: Client, event: unknown): Promise<string[]> {
  const answer = await client.post('/v1/events?ack=committed', event);
  expect([answer.status, answer.body.code]).toEqual([422, 'invalid_event']);
  expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
  for (const { code, detail } of answer.body.errors) {
    expect(detail).toMatch(/^[A-Z].{10,}[.?]$/);
    // What is of the wrong length is told the right one.
    if (code === 'too_long' || code === 'too_short') expect(detail).toMatch(/ \d+ /);
  }
  return answer.body.errors.map(
    ({ pointer, code }: { pointer: string; code: string }) => `${pointer} ${code}`,
  );
}

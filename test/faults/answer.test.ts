import { expect, test } from 'vitest';
import { fatesOf } from './answer.ts';
import type { Ack } from './ledger.ts';

function fateOf(status: number, body: unknown, asked: Ack = 'accepted') {
  return fatesOf({ status, body: JSON.stringify(body), retryAfter: undefined }, asked, 1, false)[0];
}

test('an answer acknowledges what it says, not what was asked', () => {
  expect(fateOf(202, { result: 'accepted' })).toEqual({ kind: 'acknowledged', ack: 'accepted' });
  expect(fateOf(201, { result: 'committed' })).toEqual({ kind: 'acknowledged', ack: 'committed' });
  expect(fateOf(200, { result: 'duplicate' })).toEqual({ kind: 'acknowledged', ack: 'committed' });
});

test('an answer that promises less than was asked is unexpected', () => {
  const what = 'accepted to ack=committed';
  expect(fateOf(202, { result: 'accepted' }, 'committed')).toEqual({ kind: 'unexpected', what });
});

test.each([429, 500, 503])('a %i is to be sent again', (status) => {
  expect(fateOf(status, { code: 'some' })).toEqual({ kind: 'again', reason: `${status} some` });
});

test.each([200, 400, 409, 422])('a %i that acknowledges nothing is unexpected', (status) => {
  expect(fateOf(status, { code: 'some' })?.kind).toBe('unexpected');
});

test('a batch is answered event by event', () => {
  const results = [
    { index: 0, result: 'queued' },
    { index: 1, result: 'rejected', problem: { code: 'unavailable' } },
    { index: 2, result: 'conflict', problem: { code: 'conflict' } },
  ];
  const body = JSON.stringify({ accepted: 1, rejected: 2, results });
  expect(fatesOf({ status: 207, body, retryAfter: undefined }, 'queued', 3, true)).toEqual([
    { kind: 'acknowledged', ack: 'queued' },
    { kind: 'again', reason: '503 unavailable' },
    { kind: 'unexpected', what: 'conflict conflict' },
  ]);
});

test('a batch that is answered as a whole is so for each event', () => {
  const answer = { status: 503, body: '{"code":"unavailable"}', retryAfter: 2 };
  expect(fatesOf(answer, 'queued', 2, true)).toEqual(
    Array.from({ length: 2 }, () => ({ kind: 'again', reason: '503 unavailable' })),
  );
});

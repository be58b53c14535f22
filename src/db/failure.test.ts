import { NeonDbError } from '@neondatabase/serverless';
import { describe, expect, test, vi } from 'vitest';
import { toFailure } from './failure.ts';

function postgresError(code: string | undefined, constraint?: string, detail?: string): NeonDbError {
  return Object.assign(new NeonDbError('the message may hold personal data'), { code, constraint, detail });
}

describe('an error of the database', () => {
  test.each(['22001', '22P02', '23502', '23505', '54000'])('about the data (%s) refuses it', (code) => {
    const failure = toFailure(postgresError(code, 'some_constraint', 'some detail'));
    expect(failure).toEqual({
      kind: 'refused',
      sqlstate: code,
      constraint: 'some_constraint',
      detail: 'some detail',
    });
  });

  test.each([
    '40001',
    '40P01',
    '55P03',
    '57014',
    '57P01',
    '08006',
    '28P01',
    '3D000',
    '42883',
    '25006',
    'XX000',
    '',
  ])('about anything else (%s) says nothing about the data', (code) =>
    expect(toFailure(postgresError(code))).toEqual({ kind: 'unavailable', sqlstate: code }),
  );

  test('for a missing partition is not about the data: a check violation that names no constraint', () => {
    expect(toFailure(postgresError('23514'))).toEqual({ kind: 'no_partition', sqlstate: '23514' });
    expect(toFailure(postgresError('23514', 'events_size_check')).kind).toBe('refused');
  });

  test('that drizzle wrapped is sorted by its cause', () => {
    const wrapped = new Error('Failed query: insert into … params: …', {
      cause: postgresError('23514', 'a_check'),
    });
    expect(toFailure(wrapped)).toMatchObject({ kind: 'refused', constraint: 'a_check' });
  });

  test('that says the call was too large is refused, so that the call is halved', () => {
    const tooLarge = new NeonDbError('Server error (HTTP status 413): request is too large');
    const waking = new NeonDbError('Server error (HTTP status 500): could not wake compute after 413 ms');
    expect(toFailure(waking)).toEqual({ kind: 'unavailable', sqlstate: null });
    expect(toFailure(tooLarge)).toMatchObject({ kind: 'refused', sqlstate: '54000' });
  });
});

describe('any other error', () => {
  test('counts as unavailable, a timeout without a word', () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(toFailure(new DOMException('…', 'TimeoutError')).kind).toBe('unavailable');
    expect(error).not.toHaveBeenCalled();
    error.mockRestore();
  });

  test('is logged by its name alone', () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(toFailure(new SyntaxError('ada@example.com is not JSON')).kind).toBe('unavailable');
    expect(error.mock.calls).toEqual([['{"event":"unexpected_database_error","error":"SyntaxError"}']]);
    error.mockRestore();
  });
});

import { expect, test } from 'vitest';
import { Renewed } from './renewed.ts';

const waitUntil = () => {};

/** With readings that the test ends. */
function renewed() {
  const clock = { now: 1_000_000 };
  const readings: PromiseWithResolvers<string>[] = [];
  const failures: unknown[] = [];
  const read = () => {
    const reading = Promise.withResolvers<string>();
    readings.push(reading);
    return reading.promise;
  };
  const value = new Renewed<string>(
    read,
    (error) => failures.push(error),
    () => clock.now,
  );
  return { clock, readings, failures, value };
}

test('a reading that was overtaken by a change, and fails, delays no reading after it', async () => {
  const { readings, failures, value } = renewed();
  const first = value.renew(waitUntil);
  value.expire();
  readings[0]?.reject(new Error('too late'));
  await first;
  expect(failures).toHaveLength(1);
  const second = value.renew(waitUntil);
  readings[1]?.resolve('new');
  await second;
  expect(value.value).toBe('new');
});

test('a change is waited for although a reading before it hung', async () => {
  const { clock, readings, value } = renewed();
  const first = value.renew(waitUntil);
  clock.now += 5000;
  readings[0]?.reject(new Error('hung'));
  await first;
  value.expire();
  const second = value.renew(waitUntil).then(() => value.value);
  readings[1]?.resolve('new');
  expect(await second).toBe('new');
});

test('who asks for what is seconds old waits for it, once in that time', async () => {
  const { clock, readings, value } = renewed();
  const first = value.renew(waitUntil);
  readings[0]?.resolve('old');
  await first;
  clock.now += 5001;
  await value.renew(waitUntil);
  expect(readings).toHaveLength(1);
  const second = value.renew(waitUntil, 5000);
  readings[1]?.resolve('new');
  await second;
  expect(value.value).toBe('new');
  await value.renew(waitUntil, 5000);
  expect(readings).toHaveLength(2);
});

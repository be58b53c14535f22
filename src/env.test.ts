import { expect, test } from 'vitest';
import { ConfigurationError, parseEnv } from './env.ts';

const H1 = 'a'.repeat(64);
const H2 = '0'.repeat(64);

const RAW = {
  DATABASE_URL: 'postgres://u:p@h/d',
  DAYBOOK_KEY_SECRET: 's'.repeat(32),
  QUEUE: { sendBatch: () => {}, metrics: () => {} },
  RATE_LIMIT: { limit: () => {} },
  RATE_LIMIT_FIFTIES: { limit: () => {} },
};

function hashes(text: string): string[] {
  return parseEnv({ ...RAW, DAYBOOK_OPERATOR_KEY_HASHES: text }).DAYBOOK_OPERATOR_KEY_HASHES;
}

test.each([
  ['QUEUE', undefined],
  ['QUEUE', 'daybook'],
  ['RATE_LIMIT', {}],
  ['DAYBOOK_DEFAULT_ACK', 'commited'],
])('%s cannot be %j, and the error names it', (name, value) => {
  expect(() => parseEnv({ ...RAW, [name]: value })).toThrow(name);
});

test.each(['https://h/d', 'postgres:u:p@h/d', 'postgres://u:secret@%HOST%/d', 'postgres://u:secret/s@h/d'])(
  'DATABASE_URL cannot be %j, and the error keeps it',
  (DATABASE_URL) => {
    expect(() => parseEnv({ ...RAW, DATABASE_URL })).toThrow(
      /^(?!.*secret).*DATABASE_URL: must be a postgres:/,
    );
  },
);

test.each([
  ['', []],
  [H1, [H1]],
  [`${H1}, ${H2}`, [H1, H2]],
  [` ${H1} ,${H2}\n`, [H1, H2]],
  [`${H1}  -`, [H1]],
  [`${H1}  -\n`, [H1]],
  [`${H1} *-, ${H2}  -`, [H1, H2]],
])('DAYBOOK_OPERATOR_KEY_HASHES may be %j', (text, parsed) => {
  expect(hashes(text)).toEqual(parsed);
});

test.each([`${H1} ${H2}`, `${H1},${H2},${H1}`, H1.slice(1), `${H1} file`, `${H1}-`, 'A'.repeat(64)])(
  'DAYBOOK_OPERATOR_KEY_HASHES cannot be %j',
  (text) => {
    expect(() => hashes(text)).toThrow(ConfigurationError);
  },
);

test.each([
  [undefined, undefined, 'accepted'],
  ['', 'queued', 'queued'],
  [undefined, 'committed', 'committed'],
  ['accepted', 'committed', 'accepted'],
] as const)('DAYBOOK_DEFAULT_ACK of %j, with the option defaultAck of %j, is %j', (value, defaultAck, is) => {
  const env = parseEnv(
    { ...RAW, DAYBOOK_DEFAULT_ACK: value },
    defaultAck === undefined ? {} : { defaultAck },
  );
  expect(env.DAYBOOK_DEFAULT_ACK).toBe(is);
});

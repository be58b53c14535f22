import fc from 'fast-check';
import { expect, test } from 'vitest';
import { secrecyOfName } from '../events/secret-names.ts';
import { secrecyOf } from './secret-name.ts';

test.each(['password', 'API_KEY', 'x-auth-token', 'clientSecret', 'dbPwd', 'pin', 'cookies', 'token2'])(
  'the name of a secret is one: %s',
  (name) => {
    expect(secrecyOf(name)).toBeDefined();
  },
);

test('no name is one that Daybook itself would not take for one', () => {
  const word = fc.constantFrom(
    ...'password pass pwd secret api private access key token tokens cookie credential jwt pin cvc otp totp bearer authorization'.split(
      ' ',
    ),
    ...'next page max input has is old name count at changed public primary card user x'.split(' '),
  );
  const name = fc
    .tuple(fc.array(word, { minLength: 1, maxLength: 4 }), fc.constantFrom('_', '-', '.', ' '))
    .map(([words, separator]) => words.join(separator));
  fc.assert(
    fc.property(name, (text) => {
      fc.pre(secrecyOf(text) !== undefined);
      expect([text, secrecyOfName(text)]).not.toEqual([text, undefined]);
    }),
    { numRuns: 2000 },
  );
});

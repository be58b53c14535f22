import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SCOPES, signKey, verifyKey, type KeyClaims } from './key.ts';

const SECRET = 'a secret that is long enough for every test';
const claims: KeyClaims = {
  id: '01a1fde2-e7c0-789f-9e35-bd1e3e0b69bd',
  workspaces: ['acme'],
  scopes: ['events:write'],
};

const anyClaims = fc.record(
  {
    id: fc.uuid(),
    workspaces: fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), {
      minLength: 1,
      maxLength: 5,
    }),
    scopes: fc.uniqueArray(fc.constantFrom(...SCOPES), { minLength: 1 }),
    expires: fc.nat(),
  },
  { requiredKeys: ['id', 'workspaces', 'scopes'] },
);

describe('a key', () => {
  test('gives back its claims to whoever knows the secret, old or new', async () => {
    await fc.assert(
      fc.asyncProperty(anyClaims, async (signed) => {
        const key = await signKey(signed as KeyClaims, SECRET);
        expect(await verifyKey(key, ['another secret, the newer one of two', SECRET])).toEqual({
          ok: true,
          claims: signed,
        });
      }),
    );
  });

  test('of another secret is not valid', async () => {
    const key = await signKey(claims, 'another secret, of another deployment');
    expect(await verifyKey(key, [SECRET])).toEqual({ ok: false, reason: 'invalid_key' });
  });

  test('is not valid with any one of its characters changed', async () => {
    const key = await signKey(claims, SECRET);
    for (let index = 4; index < key.length - 1; index += 1) {
      const other = key[index] === 'A' ? 'B' : 'A';
      const check = await verifyKey(key.slice(0, index) + other + key.slice(index + 1), [SECRET]);
      expect(check).toEqual({ ok: false, reason: 'invalid_key' });
    }
  });

  test.each(['', 'dbk_', 'dbk_AAAA', 'dbk_!!!', 'dbx_abc', 'dbk_A', `dbk_${'A'.repeat(42)}`])(
    'is not %j',
    async (text) => {
      expect(await verifyKey(text, [SECRET])).toEqual({ ok: false, reason: 'malformed_key' });
    },
  );

  test('cannot be made of arbitrary text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        expect((await verifyKey(`dbk_${text}`, [SECRET])).ok).toBe(false);
      }),
    );
  });
});

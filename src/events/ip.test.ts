import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDatabase, type TestDatabase } from '../../test/support/database.ts';
import { canonicalIp } from './ip.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterAll(() => database.close());

/** What Postgres prints for each text, or null where it is no host address. */
async function printedByPostgres(texts: string[]): Promise<(string | null)[]> {
  const rows = await database.owner.query(
    `select case when pg_input_is_valid(text, 'inet') then
       case when masklen(text::inet) = (case family(text::inet) when 4 then 32 else 128 end) then host(text::inet) end
     end as address from unnest($1::text[]) with ordinality as sample (text, place) order by place`,
    [texts],
  );
  return rows.map(({ address }) => address as string | null);
}

const unmapped = (address: string | null) => address?.replace(/^::ffff:(?=\d+\.)/, '');

describe('canonicalIp', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['::2', '::2'],
    ['::1:0', '::0.1.0.0'],
    ['::102:304', '::1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['0:0:0:0:0:ffff:102:304', '1.2.3.4'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['1::', '1::'],
    ['0001::0', '1::'],
  ])('gives %s as %s', (text, expected) => {
    expect(canonicalIp(text)).toBe(expected);
  });

  it.each([
    '',
    '1',
    '127.1',
    '0x7f.1',
    '010.0.0.1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.4/32',
    '1.2.3.4:80',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '１.2.3.4',
    '[::1]',
    '::1/128',
    'fe80::1%eth0',
    '1::2::3',
    ':::',
    ':',
    '1:',
    ':1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '::1.2.3',
    '::1.2.3.04',
    '1.2.3.4::',
    '::1.2.3.4:5',
    'localhost',
    '2130706433',
    '[anonymized]',
    '-1.2.3.4',
    '::-1',
  ])('refuses %j', (text) => {
    expect(canonicalIp(text)).toBeUndefined();
  });

  it('prints every address as Postgres does', async () => {
    const texts = fc.sample(spelledIp, 4000);
    const printed = await printedByPostgres(texts);
    expect(texts.map((text) => canonicalIp(text))).toEqual(printed.map(unmapped));
    const again = texts.map((text) => canonicalIp(canonicalIp(text) ?? ''));
    expect(again).toEqual(printed.map(unmapped));
  });

  it('accepts nothing that Postgres refuses', async () => {
    const texts = fc.sample(nearlyIp, 4000).filter((text) => canonicalIp(text) !== undefined);
    expect(texts.length).toBeGreaterThan(100);
    expect(texts.map((text) => canonicalIp(text))).toEqual((await printedByPostgres(texts)).map(unmapped));
  });
});

const group = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  fc.constantFrom(1, 0xffff),
  fc.nat({ max: 0xffff }),
);

/** Any address, in any of the spellings of RFC 4291, section 2.2. */
const spelledIp = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc
    .tuple(fc.array(group, { minLength: 8, maxLength: 8 }), fc.boolean(), fc.boolean(), fc.nat({ max: 6 }))
    .map(([groups, upper, dotted, at]) => {
      const [high = 0, low = 0] = groups.slice(6);
      const texts = groups.map((value) =>
        upper ? value.toString(16).toUpperCase().padStart(4, '0') : value.toString(16),
      );
      if (dotted) texts.splice(6, 2, `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`);
      const zeros = groups.slice(at, 6).findIndex((value) => value !== 0);
      const count = zeros === -1 ? 6 - at : zeros;
      if (count === 0) return texts.join(':');
      return `${texts.slice(0, at).join(':')}::${texts.slice(at + count).join(':')}`;
    }),
);

const nearlyIp = fc
  .tuple(
    spelledIp,
    fc.nat(),
    fc.nat({ max: 2 }),
    fc.constantFrom('', '0', ':', '::', '.', '1', 'f', '%', '/', 'ffff', ' '),
  )
  .map(([text, at, cut, piece]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + piece + text.slice(place + cut);
  });

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pointerTo } from './flaw.ts';
import { readJson, readPlain } from './json.ts';
import { readStrictly } from './json-strict.ts';

const flawsOf = (text: string) => {
  const reading = readJson(text);
  return reading.ok ? reading.flaws.map(({ pointer, code }) => `${pointer} ${code}`) : 'no JSON';
};

describe('readJson', () => {
  it.each([
    ['{"a":"x\\u0000y"}', ['/a nul_character']],
    ['{"a\\u0000":1}', ['/a\0 nul_character']],
    ['["\\ud83d"]', ['/0 lone_surrogate']],
    ['["\ud83d"]', ['/0 lone_surrogate']],
    ['["\\ude00\\ud83d"]', ['/0 lone_surrogate']],
    ['{"\\ud800":1}', ['/\ufffd lone_surrogate']],
    ['["\\ud83d\\ude00 \\\\u0000 \\\\ud800"]', []],
    ['[1e999]', ['/0 number_out_of_range']],
    ['[-1e999]', ['/0 number_out_of_range']],
    ['[1e-400]', ['/0 number_out_of_range']],
    ['[0e-400, 0.0, -0]', []],
    ['[1.2345678901e-320]', ['/0 number_precision']],
    ['[5e-324]', []],
    ['[9007199254740991, -9007199254740991]', []],
    ['[9007199254740992]', ['/0 number_precision']],
    ['-12345678901234567890', [' number_precision']],
    ['[1e20, 1e308]', []],
    ['[0.12345678901234567]', []],
    ['[0.123456789012345678]', ['/0 number_precision']],
    ['[12345678.1234567890]', []],
    ['[1234567890.123456789]', ['/0 number_precision']],
    ['[0.000000000000000000001]', []],
    ['{"id":"12345678901234567890","n":1}', []],
    ['{"a":1,"\\u0061":2}', ['/a duplicate_name']],
    ['{"a" :1,"b":{"a":1}, "a"\n:2}', ['/a duplicate_name']],
    ['{"__proto__":1,"__proto__":2}', ['/__proto__ duplicate_name']],
    ['{"a":":","b":": ","c\\":":" :"}', []],
    ['{"a/b":{"~":{"":[1e999]}}}', ['/a~1b/~0//0 number_out_of_range']],
    [
      '{"a":1e999,"b":["\\u0000"],"b":99999999999999999999}',
      ['/a number_out_of_range', '/b/0 nul_character', '/b duplicate_name', '/b number_precision'],
    ],
  ])('names the places of %s', (text, expected) => {
    expect(flawsOf(text)).toEqual(expected);
  });

  it.each([
    ['', 0],
    ['{"a":1,}', 7],
    ['[1,]', 3],
    ['[01]', 2],
    ['[1 2]', 3],
    ['{"a" 1}', 5],
    ['{a:1}', 1],
    ['["\\x"]', 2],
    ['["\\u12g4"]', 2],
    ['["a\nb"]', 3],
    ['["a', 3],
    ['nul', 0],
    ['[1] x', 4],
    ['\ufeff{}', 0],
    ['[1.]', 2],
    ['+1', 0],
    ['[NaN]', 1],
  ])('says where %j stops being JSON', (text, position) => {
    expect(readJson(text)).toMatchObject({ ok: false, position });
  });

  it('keeps a member named __proto__ as an ordinary one, on both paths', () => {
    for (const text of ['{"__proto__":{"x":1}}', '{"__proto__":{"x":1},"n":99999999999999999999}']) {
      const reading = readJson(text);
      if (!reading.ok) throw new Error(reading.detail);
      const { value } = reading;
      expect(Object.keys(value ?? {})[0]).toBe('__proto__');
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    }
  });

  it('reads escaped names right where JSON.parse has learnt a name with a backslash', () => {
    for (const [poison, text, names] of [
      ['{"h":[],"\\\\":0}', '{"h":1,"\\"":2}', ['h', '"']],
      ['{"x":1,"\\\\":1}', '{"x":{},"\\u0062":1}', ['x', 'b']],
      ['{"y":1,"b\\\\":1}', '{"y":1,"b\\n":1}', ['y', 'b\n']],
    ] as const) {
      readJson(poison);
      const reading = readJson(text);
      expect(reading.ok && Object.keys(reading.value ?? {})).toEqual(names);
    }
  });

  it('survives 4 MiB of opening brackets, and of nested arrays', () => {
    const open = '['.repeat(4 * 1024 * 1024);
    expect(readJson(open)).toMatchObject({ ok: false, position: 512 });
    const half = 2 * 1024 * 1024;
    expect(readJson('['.repeat(half) + ']'.repeat(half))).toMatchObject({ ok: false, position: 512 });
    expect(readJson('{"a":'.repeat(600))).toMatchObject({ ok: false });
  });

  it('reads 512 levels', () => {
    expect(readJson('['.repeat(512) + ']'.repeat(512))).toMatchObject({ ok: true, flaws: [] });
    expect(readJson('['.repeat(513) + ']'.repeat(513))).toMatchObject({ ok: false });
  });

  it('refuses a text whose flaws would make an answer many times its size', () => {
    const many = `[${Array.from({ length: 20_000 }, () => '1e999').join(',')}]`;
    expect(readJson(many)).toMatchObject({ ok: false });
    const long = `{"${'x'.repeat(100_000)}":[${Array.from({ length: 100 }, () => '1e999').join(',')}]}`;
    expect(readJson(long)).toMatchObject({ ok: false });
  });

  it('agrees with JSON.parse on any text, on both paths', () => {
    fc.assert(
      fc.property(nearlyJson, (text) => {
        const expected = parse(text);
        const strict = readStrictly(text, 512);
        expect(strict.ok).toBe(expected !== undefined);
        if (strict.ok) expect(JSON.stringify(strict.value)).toBe(expected);
        const plain = readPlain(text);
        if (plain === undefined) return;
        expect(strict).toMatchObject({ ok: true, flaws: [] });
        expect(JSON.stringify(plain)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('finds every planted flaw at its place, and no other', () => {
    fc.assert(
      fc.property(planted, ({ text, flaws }) => {
        const found = flawsOf(text);
        expect(Array.isArray(found) ? found.sort() : found).toEqual(flaws.sort());
      }),
      { numRuns: 2000 },
    );
  });

  it('takes the fast path for ordinary texts', () => {
    const text =
      '{"id":"0198f3a2-7c1e-7d3a-9b2c-5e6f7a8b9c0d","at":"2026-11-20T10:15:30.123Z","n":[1,2.5,-3e7],"s":"a: \\"b\\": c \\u00e9"}';
    expect(readPlain(text)).toEqual(JSON.parse(text));
  });
});

/** What JSON.parse makes of a text; not asked where it may have fallen to nodejs/node#63785. */
function parse(text: string): string | undefined {
  try {
    return JSON.stringify(
      JSON.parse(text, (name, value: unknown) => (name.includes('\\') ? fc.pre(false) : value)),
    );
  } catch (error) {
    if (fc.PreconditionFailure.isFailure(error)) throw error;
    return undefined;
  }
}

const atom = fc.constantFrom(
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\"',
  '":',
  '" :',
  ' ',
  '\n',
  'true',
  'null',
  '0',
  '1',
  '-',
  '.',
  'e',
  'E',
  '+',
  '1e999',
  '1e-999',
  '9007199254740993',
  '1234567890123456',
  '\\u0000',
  '\\ud800',
  '\\udc00',
  '\ud800',
  '"a"',
  '"a":',
  '"__proto__":',
  'x',
  ':"',
);

/** Valid JSON in odd spellings, the same with a piece changed, and rubble. */
const nearlyJson = fc.oneof(
  fc.json(),
  fc.array(atom, { maxLength: 14 }).map((atoms) => atoms.join('')),
  fc.tuple(fc.json(), fc.nat(), fc.nat(3), atom).map(([json, at, cut, piece]) => {
    const place = at % (json.length + 1);
    return json.slice(0, place) + piece + json.slice(place + cut);
  }),
);

interface Planted {
  text: string;
  /** Pointers within this value, with their codes. */
  flaws: string[];
}

const space = fc.constantFrom('', ' ', '\n\t');
const leaf = fc.oneof(
  fc
    .constantFrom(
      '1',
      '-0.5',
      'true',
      'null',
      '"a:b"',
      '":"',
      '"\\": "',
      '"\\\\"',
      '12345678',
      '1e5',
      '"1234567890123456"',
    )
    .map((text): Planted => ({ text, flaws: [] })),
  fc.constantFrom('"\\u0000"', '"x\\u0000"').map((text): Planted => ({ text, flaws: [' nul_character'] })),
  fc
    .constantFrom('"\\ud800"', '"\udc00"', '"\\uD83Dx"')
    .map((text): Planted => ({ text, flaws: [' lone_surrogate'] })),
  fc
    .constantFrom('1e999', '-1E+400', '1e-400')
    .map((text): Planted => ({ text, flaws: [' number_out_of_range'] })),
  fc
    .constantFrom('9007199254740993', '-99999999999999999999', '0.1234567890123456789')
    .map((text): Planted => ({ text, flaws: [' number_precision'] })),
);
const memberName = fc.constantFrom('a', 'b', 'a/b', '~', '', '__proto__', '"', '\\', 'é', ':');
/** One name in two spellings. */
const spelled = fc.tuple(memberName, fc.boolean()).map(([name, escape]) => ({
  name,
  text: escape
    ? `"${Array.from(name, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(name),
}));

const { node: planted } = fc.letrec<{ node: Planted; array: Planted; object: Planted }>((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, leaf, tie('array'), tie('object')),
  array: fc.tuple(fc.array(tie('node'), { maxLength: 4 }), space).map(([items, gap]) => ({
    text: `[${gap}${items.map((item) => item.text).join(`${gap},${gap}`)}${gap}]`,
    flaws: items.flatMap((item, index) => item.flaws.map((flaw) => `${pointerTo('', index)}${flaw}`)),
  })),
  object: fc
    .tuple(fc.array(fc.tuple(spelled, tie('node')), { maxLength: 4 }), space)
    .map(([members, gap]) => {
      const seen = new Set<string>();
      const flaws: string[] = [];
      for (const [{ name }, value] of members) {
        const place = pointerTo('', name);
        if (seen.has(name)) flaws.push(`${place} duplicate_name`);
        seen.add(name);
        flaws.push(...value.flaws.map((flaw) => `${place}${flaw}`));
      }
      return {
        text: `{${gap}${members.map(([{ text }, value]) => `${text}${gap}:${gap}${value.text}`).join(`${gap},`)}${gap}}`,
        flaws,
      };
    }),
}));

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
    ['[9007199254740993.0]', ['/0 number_precision']],
    ['[-9007199254740993e0, 9007199254740993E+00]', ['/0 number_precision', '/1 number_precision']],
    ['[90071992547409930e-1]', ['/0 number_precision']],
    ['[0.9007199254740993e16, 9.007199254740993e15]', ['/0 number_precision', '/1 number_precision']],
    ['[123456789012345678e3]', ['/0 number_precision']],
    ['[1.7976931348623158e308]', ['/0 number_precision']],
    ['[9007199254740992.0, 90071992547409920e-1, 9.007199254740991e15]', []],
    ['[1e20, 1e23, 1E+23, 1.0e23, 10e22, 1e308, 1.7976931348623157e308]', []],
    ['[9007199254740992.5, 0.30000000000000004, 0.1000000000000000055]', ['/2 number_precision']],
    [`[1${'0'.repeat(400)}e-400, 0.${'0'.repeat(400)}1e401, 0e99999999999999999999]`, []],
    [
      '[1e-99999999999999999999, 1e99999999999999999999]',
      ['/0 number_out_of_range', '/1 number_out_of_range'],
    ],
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
    const whole = 4 * 1024 * 1024;
    const half = whole / 2;
    const start = performance.now();
    expect(readJson('['.repeat(whole))).toMatchObject({ ok: false, position: whole });
    expect(flawsOf('['.repeat(half) + ']'.repeat(half))).toEqual([deepFlaw]);
    const object = '{"":'.repeat(whole / 5);
    expect(readJson(object)).toMatchObject({ ok: false, position: object.length });
    expect(flawsOf(`${object}0${'}'.repeat(whole / 5)}`)).toEqual([`${'/'.repeat(32)} too_deep`]);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('takes no more memory for 4 MiB of brackets than for other texts', () => {
    const half = 2 * 1024 * 1024;
    const text = '['.repeat(half) + ']'.repeat(half);
    const before = process.memoryUsage();
    readJson(text);
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(40_000_000);
  });

  it('reads 512 levels, and names the place of what is nested deeper where an event may not reach', () => {
    expect(readJson('['.repeat(512) + ']'.repeat(512))).toMatchObject({ ok: true, flaws: [] });
    expect(flawsOf('['.repeat(513) + ']'.repeat(513))).toEqual([deepFlaw]);
    const deep = `${'['.repeat(600)}{"a":[1e999,"\\u0000"],"a":{}}${']'.repeat(600)}`;
    expect(flawsOf(`{"events":[{"a":1e999},{"b":${deep}}]}`)).toEqual([
      '/events/0/a number_out_of_range',
      `/events/1/b${'/0'.repeat(29)} too_deep`,
    ]);
  });

  it('names each container that nests too deep once', () => {
    const many = `${'['.repeat(512)}${'[],{},'.repeat(50_000)}0${']'.repeat(512)}`;
    expect(flawsOf(`[${many},1e999,${many}]`)).toEqual([
      `${'/0'.repeat(32)} too_deep`,
      '/1 number_out_of_range',
      `/2${'/0'.repeat(31)} too_deep`,
    ]);
  });

  it('looks for brackets outside strings only', () => {
    const text = `["${'[{'.repeat(40_000)}","\\"[",${'"]",['.repeat(100)}${']'.repeat(101)}`;
    expect(readPlain(text)).toEqual(JSON.parse(text));
    const hidden = `${'["]]",'.repeat(20_000)}0${']'.repeat(20_000)}`;
    expect(flawsOf(hidden)).toEqual([`${'/1'.repeat(32)} too_deep`]);
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
        const strict = readStrictly(text);
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

  it('agrees with JSON.parse on what it does not read for its depth', () => {
    fc.assert(
      fc.property(nearlyJson, (text) => {
        const deep = `${'['.repeat(512)}[${text}]${']'.repeat(512)}`;
        expect(flawsOf(deep)).toEqual(parse(deep) === undefined ? 'no JSON' : [deepFlaw]);
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps an integer as exactly that integer, however it is written', () => {
    fc.assert(
      fc.property(numberLiteral, (literal) => {
        const integer = integerOf(literal);
        fc.pre(integer !== undefined);
        const isPlain = /^-?\d+$/.test(literal);
        const kept = integerOf(String(Number(literal)));
        const isSafe = isPlain ? Number.isSafeInteger(Number(literal)) : kept === integer;
        expect(flawsOf(`{"a":${literal}}`)).toEqual(isSafe ? [] : ['/a number_precision']);
      }),
      { numRuns: 5000 },
    );
  });

  it('keeps a fraction of up to 17 digits as the nearest double', () => {
    fc.assert(
      fc.property(numberLiteral, (literal) => {
        fc.pre(integerOf(literal) === undefined);
        const digits = literal
          .replace(/e.*/i, '')
          .replace(/[-.]/g, '')
          .replace(/^0+|0+$/g, '');
        const reading = readJson(literal);
        expect(flawsOf(literal)).toEqual(digits.length <= 17 ? [] : [' number_precision']);
        expect(reading.ok && reading.value).toBe(Number(literal));
      }),
      { numRuns: 5000 },
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

const deepFlaw = `${'/0'.repeat(32)} too_deep`;

const digits = (maxLength: number) =>
  fc.array(fc.constantFrom('0', '0', '0', '9', '1', '4', '7'), { maxLength }).map((all) => all.join(''));

/** Number literals near the limits of a double's digits, in all spellings. */
const numberLiteral = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: fc.oneof(
      digits(22).map((text) => text.replace(/^0+/, '') || '0'),
      fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 9n }).map(String),
      fc.double({ min: 2 ** 53, max: 1e21, noNaN: true }).map((number) => BigInt(number).toString()),
    ),
    fraction: digits(6),
    power: fc.oneof(fc.constant(''), fc.integer({ min: -25, max: 25 }).map(String)),
    e: fc.constantFrom('e', 'E', 'e0', 'E+'),
  })
  .map(({ sign, whole, fraction, power, e }) => {
    const exponent = power.startsWith('-') ? `e${power}` : `${e}${power}`;
    return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}${power === '' ? '' : exponent}`;
  });

/** The integer that a literal of moderate size denotes; undefined for a fraction. */
function integerOf(literal: string): bigint | undefined {
  const [mantissa = '', power = '0'] = literal.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const exponent = Number(power) - fraction.length;
  const digits = BigInt(whole + fraction);
  if (exponent >= 0) return digits * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return digits % divisor === 0n ? digits / divisor : undefined;
}

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

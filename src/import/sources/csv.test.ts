import { writeFile } from 'node:fs/promises';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Source, SourceRow } from '../source.ts';
import { openCsv } from './csv.ts';

const directory = await mkdtemp(join(tmpdir(), 'daybook-csv-'));
let files = 0;

async function opened(content: string | Uint8Array): Promise<Source> {
  files += 1;
  const path = join(directory, `${files}.csv`);
  await writeFile(path, content);
  return openCsv(path);
}

async function read(source: Source, after?: readonly string[]): Promise<SourceRow[]> {
  const rows: SourceRow[] = [];
  for await (const page of source.pages(after)) rows.push(...page);
  return rows;
}

async function values(content: string | Uint8Array): Promise<unknown[]> {
  const rows = await read(await opened(content));
  return rows.map(({ content }) => (content.ok ? { ...content.values } : content.flaws[0]?.detail));
}

/** As RFC 4180 has it, NULL as nothing. */
function written(record: readonly (string | null)[], ending: string): string {
  const field = (value: string | null) =>
    value === null ? '' : /^[^",\r\n]+$/.test(value) ? value : `"${value.replaceAll('"', '""')}"`;
  return record.map(field).join(',') + ending;
}

describe('a CSV file', () => {
  test('has quotes, commas and line breaks within values, and tells NULL from empty', async () => {
    expect(await values('a,b,c\r\n1,"x ""y"", z",\r\n"2\r\n3","",é\r\n')).toEqual([
      { a: '1', b: 'x "y", z', c: null },
      { a: '2\r\n3', b: '', c: 'é' },
    ]);
  });

  test('may begin with a byte order mark and end without a line break', async () => {
    expect(await values('\ufeffa,aktión\n1,2')).toEqual([{ a: '1', aktión: '2' }]);
  });

  test('may have blank lines', async () => {
    expect(await values('a,b\n\n1,2\n\n\n3,4\n\n')).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ]);
  });

  test('loses no row beside one that cannot be read', async () => {
    const invalid = Buffer.concat([
      Buffer.from('a,b\n1,2\n'),
      Buffer.from([0x78, 0xff, 0x2c, 0x79, 0x0a]),
      Buffer.from('3,4\n'),
    ]);
    expect(await values(invalid)).toEqual([
      { a: '1', b: '2' },
      expect.stringContaining('not UTF-8'),
      { a: '3', b: '4' },
    ]);
    expect(await values('a,b\n1\n2,3,4\n5,6\n')).toEqual([
      expect.stringContaining('1 values'),
      expect.stringContaining('3 values'),
      { a: '5', b: '6' },
    ]);
    expect(await values('a,b\n1,2\n3,"never closed\n5,6\n7,8\n')).toEqual([
      { a: '1', b: '2' },
      expect.stringContaining('never closed'),
      { a: '5', b: '6' },
      { a: '7', b: '8' },
    ]);
    expect(await values(`a,b\n1,"${'x'.repeat(2 ** 21)}"\n5,6\n`)).toEqual([
      expect.stringContaining('more than 1048576 bytes'),
      { a: '5', b: '6' },
    ]);
  });

  test('loses no row to a quote that does not belong there', async () => {
    expect(await values('a,b\n1,"oops\n2,"x"\n3,y"z\n5,6\n')).toEqual([
      expect.stringContaining('no CSV'),
      { a: '2', b: 'x' },
      expect.stringContaining('no CSV'),
      { a: '5', b: '6' },
    ]);
  });

  test('has no records within a value that is too large', async () => {
    const large = 'x'.repeat(2 ** 20);
    expect(await values(`a,b\n1,"${large}\n99,""forged""\n98,forged\n"\n5,6\n`)).toEqual([
      expect.stringContaining('more than 1048576 bytes'),
      { a: '5', b: '6' },
    ]);
    const unclosed = await read(await opened(`a,b\n1,"${large}${large}\n5,6\n`));
    expect(unclosed[0]?.content).toMatchObject({
      raw: `1,"${large}`.slice(0, 2 ** 20),
      flaws: [{ detail: expect.stringContaining('Here is the beginning of this one.') }],
    });
    expect(unclosed[1]?.content).toEqual({ ok: true, values: { a: '5', b: '6' } });
  });

  test('loses no row between two quotes that are never closed, however far apart', async () => {
    const between = Array.from({ length: 2000 }, (_, n) => `${n},${'x'.repeat(1000)}\n`);
    const found = await values(`a,b\n1,"oops\n${between.join('')}2,"oops\n6,z\n`);
    expect(found).toHaveLength(2003);
    expect(found.filter((row) => typeof row === 'string')).toHaveLength(2);
    expect(found.at(-1)).toEqual({ a: '6', b: 'z' });
  });

  test('may mix line ends, and a bare carriage return is none', async () => {
    const source = await opened('a,b\n1,x\ry\n2,"y"\r\n3,z\r\n4,w\n');
    const rows = await read(source);
    expect(rows.map(({ content }) => content.ok && content.values['b'])).toEqual(['x\ry', 'y', 'z', 'w']);
    for (const [place, { cursor }] of rows.entries())
      expect(await read(source, cursor)).toEqual(rows.slice(place));
  });

  test.each(['\ufeffa,b\n1,2\n', 'a,b\n1,2\n'])('in UTF-16 is refused', async (text) => {
    await expect(opened(Buffer.from(text, 'utf16le'))).rejects.toThrow('is UTF-16. Save it as UTF-8');
  });

  test.each(['', '\n', 'a,,b\n', 'a,a\n', 'a,"b\n'])('that begins with %j is refused', async (content) => {
    await expect(opened(content)).rejects.toThrow(/first line|empty/);
  });

  test('is read as it was written, and goes on with any record', async () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r\n', 'a', ' ', '€'), maxLength: 8 }),
      fc.constant(null),
    );
    // A line of nothing but NULL in one column is blank.
    const records = fc.array(fc.tuple(value, value, fc.constant('end')), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(records, fc.constantFrom('\n', '\r\n'), fc.nat(), async (written_, ending, after) => {
        const text = [['a', 'b', 'c'], ...written_].map((record) => written(record, ending)).join('');
        const source = await opened(text);
        const rows = await read(source);
        const expected = written_.map(([a, b, c]) => ({ a, b, c }));
        expect(rows.map(({ content }) => (content.ok ? { ...content.values } : content))).toEqual(expected);
        if (rows.length === 0) return;
        const from = after % rows.length;
        expect(await read(source, rows[from]?.cursor)).toEqual(rows.slice(from));
      }),
      { numRuns: 60 },
    );
  });
});

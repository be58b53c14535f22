import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { frontendMessages } from './frontend-messages.ts';
import { jsonText } from './json-text.ts';
import { type JsonValue, parameterText } from './parameter-text.ts';

test.each<[JsonValue, string | null]>([
  [null, null],
  ['it\'s "x"', 'it\'s "x"'],
  [true, 'true'],
  [1.5, '1.5'],
  [{ a: [1, 'x'] }, '{"a":[1,"x"]}'],
  [[], '{}'],
  [[true, null, 'NULL', 42, 'bar"-\\'], '{true,NULL,"NULL",42,"bar\\"-\\\\"}'],
  [
    [
      [1, null],
      ['a', 'b,c'],
    ],
    '{{1,NULL},{"a","b,c"}}',
  ],
  [[{ foo: 1 }, { bar: 'x"' }], '{"{\\"foo\\":1}","{\\"bar\\":\\"x\\\\\\"\\"}"}'],
])('the parameter %j is the text %j', (value, text) => {
  expect(parameterText(value)).toBe(text);
});

const oid = {
  text: 25,
  int8: 20,
  float8: 701,
  textArray: 1009,
  intArray: 1007,
  int8Array: 1016,
  floatArray: 1022,
};

test.each([
  ['x"y', oid.text, 'x"y'],
  ['9007199254740993', oid.int8, '9007199254740993'],
  ['1e+20', oid.float8, 1e20],
  ['-Infinity', oid.float8, '-Infinity'],
  ['{}', oid.intArray, []],
  ['{1,NULL}', oid.int8Array, ['1', null]],
  ['{NaN,1.5}', oid.floatArray, ['NaN', 1.5]],
  ['[1:1][-2:-1]={{1,2}}', oid.intArray, [[1, 2]]],
  ['{"aa\\"\\\\,a",cha,"b {}",""}', oid.textArray, ['aa"\\,a', 'cha', 'b {}', '']],
  [
    '{{"a\nb",NULL},{"NULL",c d}}',
    oid.textArray,
    [
      ['a\nb', null],
      ['NULL', 'c d'],
    ],
  ],
])('the text %j of type %i is the JSON value %j', (text, type, value) => {
  expect(JSON.parse(jsonText(text, type))).toEqual(value);
});

function message(type: string, payload: string): Buffer {
  const buffer = Buffer.alloc(type.length + 4 + payload.length);
  buffer.write(type + '\0\0\0\0' + payload, 'latin1');
  buffer.writeInt32BE(payload.length + 4, type.length);
  return buffer;
}

test('messages of the protocol are put together however they arrive', async () => {
  const units = [
    message('', '\0\x03\0\0user\0x\0\0'),
    Buffer.concat([message('P', '\0select 1\0\0\0'), message('B', 'x'.repeat(200_000)), message('S', '')]),
    message('Q', 'select 2\0'),
  ];
  const sent = Buffer.concat([...units, message('X', ''), message('Q', 'never\0')]);
  for (const size of [1, 7, 1000, sent.length]) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    // Single bytes for the small messages; the large one would take too long.
    for (let at = 0; at < sent.length;) {
      const end = at < 60 ? at + size : at + Math.max(size, 1000);
      client.write(sent.subarray(at, end));
      at = end;
    }
    const received: Buffer[] = [];
    for await (const unit of frontendMessages(socket)) received.push(Buffer.from(unit));
    expect(received.map((unit) => unit.equals(units[received.indexOf(unit)] ?? unit))).toEqual([
      true,
      true,
      true,
    ]);
    expect(Buffer.concat(received).equals(Buffer.concat(units))).toBe(true);
    client.destroy();
    server.close();
  }
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEventInput } from './event.ts';
import { canonical } from './canonical.ts';
import { redactEvent, REDACTED } from './redaction.ts';

const base: AuditEventInput = {
  action: 'user.updated',
  actor: { type: 'user', id: 'usr_1', name: 'Ada Lovelace', email: 'ada@example.com' },
  target: { type: 'user', id: 'usr_2' },
};
const redactValue = (value: unknown) => {
  const { event, redacted } = redactEvent({ ...base, metadata: { value } });
  return { value: event.metadata?.['value'], redacted };
};
const redactedText = (text: string) => redactValue(text).value;

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';
const PEM = '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----';
const letters = (count: number) => 'aB3dE5gH7jK9mN1pQ2sT4vX6zY8'.repeat(3).slice(0, count);

describe('secrets by their looks', () => {
  it.each([
    [JWT, REDACTED],
    [`token was ${JWT}, sorry`, `token was ${REDACTED}, sorry`],
    [`https://app.example/cb#${JWT}`, `https://app.example/cb#${REDACTED}`],
    ['eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.', REDACTED],
    [`Bearer ${letters(20)}`, REDACTED],
    ['bearer mF_9.B5f-4.1JqM', REDACTED],
    ['Authorization: Bearer abcdef123456 was sent', `Authorization: ${REDACTED} was sent`],
    ['Bearer abc.def.ghi', REDACTED],
    ['Bearer abcdefghijkl', REDACTED],
    ['curl -H "Authorization: bearer abcdefgh_ijkl" h', `curl -H "Authorization: ${REDACTED}" h`],
    ['Bearer%20abc-def-ghi&x=1', `${REDACTED}&x=1`],
    ['Bearer ABCDEFGH.', REDACTED],
    ['{"h":"Bearer abcdefghijk=", "n":', `{"h":"${REDACTED}", "n":`],
    ['Bearer Bearer mF_9.B5f-4.1JqM', REDACTED],
    ['Basic dXNlcjpwYXNz', REDACTED],
    ['Basic YTpi', REDACTED],
    [`sk_live_${letters(24)}`, REDACTED],
    [`sk_test_${letters(24)}`, REDACTED],
    [`rk_live_${letters(24)}`, REDACTED],
    [`ghp_${letters(36)}`, REDACTED],
    [`gho_${letters(36)}`, REDACTED],
    [`ghs_${letters(36)}`, REDACTED],
    [`ghu_${letters(36)}`, REDACTED],
    [`github_pat_${letters(22)}_${letters(59)}`, REDACTED],
    [`dbk_${letters(8)}.${letters(20)}`, REDACTED],
    [`dbo_${letters(43)}`, REDACTED],
    [`made dbo_${letters(20)}-_${letters(21)}.`, `made ${REDACTED}`],
    [`xoxb-1234567890-${letters(24)}`, REDACTED],
    [`AKIAIOSFODNN7EXAMPLE`, REDACTED],
    [`key=ASIAIOSFODNN7EXAMPLE;`, `key=${REDACTED};`],
    [`AIza${letters(35)}`, REDACTED],
    [`glpat-${letters(20)}`, REDACTED],
    [`npm_${letters(36)}`, REDACTED],
    [`SG.${letters(22)}.${letters(43)}`, REDACTED],
    [`sk-proj-${letters(40)}`, REDACTED],
    [`sk-ant-api03-${letters(40)}`, REDACTED],
    [PEM, REDACTED],
    [`key:\n${PEM}\nend`, `key:\n${REDACTED}\nend`],
    ['-----BEGIN PRIVATE KEY-----\nMIIEow', REDACTED],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----', REDACTED],
    ['-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----', REDACTED],
    ['a\n-----BEGIN PUBLIC KEY-----\nMIIC\n-----END PUBLIC KEY-----\nb', `a\n${REDACTED}\nb`],
    ['-----BEGIN PGP MESSAGE-----\n\nhQ\n-----END PGP MESSAGE-----', REDACTED],
    ['-----BEGIN X509 CRL-----\\nMIIC\\n-----END X509 CRL-----', REDACTED],
    [
      '-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n-----BEGIN RSA-Key (1)-----\nB',
      `${REDACTED}\n${REDACTED}`,
    ],
    [`-----BEGIN sk_live_${letters(70)}-----`, `-----BEGIN ${REDACTED}-----`],
    ['postgres://user:pass@host/db', `postgres://user:${REDACTED}@host/db`],
    ['postgres://user:p@ss@host/db', `postgres://user:${REDACTED}@host/db`],
    ['postgres://user:p/ss@host/db', `postgres://user:${REDACTED}@host/db`],
    ['redis://:secret@host:6379', `redis://:${REDACTED}@host:6379`],
    ['a https://u:1234@h/ and https://v:5@i/', `a https://u:${REDACTED}@h/ and https://v:${REDACTED}@i/`],
    [`https://${letters(20)}@github.com/x`, `https://${REDACTED}@github.com/x`],
    ['https://9f86d081884c7d659a2f@o1.ingest.example/2', `https://${REDACTED}@o1.ingest.example/2`],
    ['https://0198f3a2-7c1e-7d3a-9b2c-000000000000@h/', `https://${REDACTED}@h/`],
    ['git clone https://aB3dE5gH@h/x.git', `git clone https://${REDACTED}@h/x.git`],
    [`https://${letters(20)}:x-oauth-basic@h/`, `https://${REDACTED}:${REDACTED}@h/`],
    [`https://${letters(20)}:@h/`, `https://${REDACTED}:@h/`],
    [`https://${letters(20)}:4111 1111 1111 1111@h/`, `https://${REDACTED}:${REDACTED}@h/`],
    ['login?token=482913&x=1', `login?token=${REDACTED}&x=1`],
    [
      'got {"token":482913,"otp": 123456,"tokens":5120} from',
      `got {"token":${REDACTED},"otp": ${REDACTED},"tokens":5120} from`,
    ],
    ['{"password":"hunter2","password":null}', `{"password":"${REDACTED}","password":null}`],
    ['https://h/cb?code=1&access_token=abc&x=2', `https://h/cb?code=1&access_token=${REDACTED}&x=2`],
    ['https://h/?next=%2Fcb%3Ftoken%3Dabc%26x%3D1', `https://h/?next=%2Fcb%3Ftoken%3D${REDACTED}%26x%3D1`],
    ['grant_type=password&client_secret=abc', `grant_type=password&client_secret=${REDACTED}`],
    [
      'Server=db;User Id=sa;Password=p,w;Encrypt=yes',
      `Server=db;User Id=sa;Password=${REDACTED};Encrypt=yes`,
    ],
    ['run --password="a b" now', `run --password="${REDACTED}" now`],
    ['DB_PASSWORD=abc\nPORT=1', `DB_PASSWORD=${REDACTED}\nPORT=1`],
    ['body: {"user":"a","password":"x\\"y","n":', `body: {"user":"a","password":"${REDACTED}","n":`],
    ["{'api_key': 'abc', 'n': 1}", `{'api_key': '${REDACTED}', 'n': 1}`],
    ['{\\"password\\":\\"abc\\",\\"n\\":1', `{\\"password\\":\\"${REDACTED}\\",\\"n\\":1`],
    [
      'GET / HTTP/1.1\nCookie: a=b; c=d\nX-Api-Key: abc\nHost: h',
      `GET / HTTP/1.1\nCookie: ${REDACTED}\nX-Api-Key: ${REDACTED}\nHost: h`,
    ],
    ['charged 4111 1111 1111 1111', `charged ${REDACTED}`],
  ])('%s', (text, expected) => {
    expect(redactedText(text)).toBe(expected);
  });

  it.each([
    'Cookie: accepted by the user',
    'Bearer',
    'Bearer token',
    'bearer of bad news',
    'Bearer authentication failed',
    'Bearer of bad news',
    'Bearer authorization/authentication, please',
    'the bearer certificate, and bearer credentials.',
    'Bearer token-based access',
    'Bearer ACCESS_TOKEN',
    'no bearer mechanism',
    'WWW-Authenticate: Bearer resource_metadata="https://h/.well-known/x"',
    'Bearer authorization_uri=https://h/',
    'Basic plan',
    'basic authentication required',
    'Basic subscription 2026',
    'sk-SK',
    'sk-some-long-kebab-case-name',
    'disk_test_performance',
    'task_live_status',
    'npm_config_registry',
    'npm_package_version',
    'AKIA',
    'AKIArandomlowercase1',
    'eyJ',
    'eyJhbGciOiJIUzI1NiJ9',
    '0198f3a2-7c1e-7d3a-9b2c-5e6f7a8b9c0d',
    'd41d8cd98f00b204e9800998ecf8427e',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
    '-----BEGIN',
    'dbo_audit',
    'https://git@github.com/x',
    'ssh://deploy-bot@host/x',
    'https://deployment-service-account@host/x',
    'https://user2024@host/x',
    'https://JohnDoe2024@host/x',
    'https://ada.lovelace%40example.com@host/x',
    'https://averylongnamewithoutanyseparators.example:8080/x',
    'https://example.com/?q=averylongnamewithoutanyseparators@x',
    'https://example.com:8080/@user',
    'https://example.com/a:b@c',
    'jdbc:mysql://db:3306/app?contact=a@b.example',
    'mongodb://h1:27017,h2:27018/db?w=a@b',
    'http://[::1]:8080/@x',
    'git@github.com:org/repo.git',
    'mailto:ada@example.com',
    'https://example.com/?page_token=abc&q=token',
    'https://example.com/?tokens=5120&token=512&password=',
    'got {"tokens": 5120, "token": 512} from',
    'if (token == null) return',
    'where token = $1 and password = ?',
    'token: expired',
    'Password: must have eight characters',
    'the tokens_used="5"',
    'Time: 10:15:30 at 2026-11-20T10:15:30.123Z',
    '+49 30 1234567890',
    '(555) 123-4567',
    'ORDER 1763000000000',
    'a = b & c',
    '[redacted]',
    '[a] list (of things) [b]',
    '',
  ])('leaves %s', (text) => {
    expect(redactValue(text)).toEqual({ value: text, redacted: [] });
  });
});

describe('secrets by their place', () => {
  it('lists each place once, as pointers into the redacted event', () => {
    const { event, redacted } = redactEvent({
      ...base,
      reason: `key sk_live_${letters(24)} leaked`,
      actor: { type: 'user', id: 'https://h/u?token=abc', name: JWT },
      target: { type: 'url', id: 'postgres://u:p@h/db', name: 'ok' },
      related_targets: [{ type: 'x' }, { type: 'y', name: `Bearer ${letters(20)}`, id: 'a?api_key=b' }],
      context: { user_agent: `curl ${JWT}`, request_id: 'https://h/?sig=1&secret=x', ip_address: '1.2.3.4' },
      source_id: 'a=b',
      old_value: { 'a/b': [{ password: 'x' }] },
      new_value: JWT,
    });
    expect(redacted.sort()).toEqual(
      [
        '/reason',
        '/actor/id',
        '/actor/name',
        '/target/id',
        '/related_targets/1/id',
        '/related_targets/1/name',
        '/context/user_agent',
        '/context/request_id',
        '/old_value/a~1b/0/password',
        '/new_value',
      ].sort(),
    );
    expect(event.reason).toBe(`key ${REDACTED} leaked`);
    expect(event.actor).toEqual({ type: 'user', id: `https://h/u?token=${REDACTED}`, name: REDACTED });
    expect(event.target.id).toBe(`postgres://u:${REDACTED}@h/db`);
    expect(event.context?.ip_address).toBe('1.2.3.4');
    expect(event.old_value).toEqual({ 'a/b': [{ password: REDACTED }] });
  });

  it('keeps e-mail and ids as they are', () => {
    const event: AuditEventInput = {
      ...base,
      actor: { type: 'user', id: '4111111111111111', email: 'token=abc@example.com' },
      source_id: '4111111111111111',
    };
    expect(redactEvent(event).event).toBe(event);
  });

  it('takes the whole value under a secret name, whatever it is', () => {
    const value = {
      password: { old: 'a', new: 'b' },
      tokens: ['a', 'b'],
      api_key: { id: 'k', n: [1, 'x'] },
      cookie: 'a=b; c=d',
    };
    expect(redactValue(value).value).toEqual({
      password: REDACTED,
      tokens: REDACTED,
      api_key: REDACTED,
      cookie: REDACTED,
    });
  });

  it.each([
    [
      { field: 'password', old: 'a', new: 'b' },
      { field: 'password', old: REDACTED, new: REDACTED },
    ],
    [
      { name: 'Authorization', value: 'abc' },
      { name: 'Authorization', value: REDACTED },
    ],
    [
      { key: 'api-key', from: 'a', to: null },
      { key: 'api-key', from: REDACTED, to: null },
    ],
    [
      { property: 'clientSecret', before: 'a', after: 'b' },
      { property: 'clientSecret', before: REDACTED, after: REDACTED },
    ],
    [
      { field: 'user.password', old_value: 'a', newValue: 'b' },
      { field: 'user.password', old_value: REDACTED, newValue: REDACTED },
    ],
    [
      { op: 'replace', path: '/user/password', value: 'a' },
      { op: 'replace', path: '/user/password', value: REDACTED },
    ],
  ])('reads %j as a change of what it names', (value, expected) => {
    expect(redactValue(value).value).toEqual(expected);
  });

  it.each([
    { field: 'password_changed_at', old: 'a', new: 'b' },
    { field: 'password', old: true, new: false },
    { field: 'tokens', old: 5, new: 6 },
    { name: 'Ada', value: 'b' },
    { name: 'token', type: 'text' },
  ])('leaves %j', (value) => {
    expect(redactValue(value)).toEqual({ value, redacted: [] });
  });

  it('reads old and new values of the setting that the event is about', () => {
    const target = { type: 'setting', id: 'smtp_password' };
    const { event, redacted } = redactEvent({ ...base, target, old_value: 'a', new_value: 'b' });
    expect([event.old_value, event.new_value, redacted]).toEqual([
      REDACTED,
      REDACTED,
      ['/old_value', '/new_value'],
    ]);
    const byField = redactEvent({
      ...base,
      metadata: { field: 'api_key' },
      old_value: { status: 'x' },
      new_value: 'b',
    });
    expect([byField.event.old_value, byField.event.new_value]).toEqual([{ status: 'x' }, REDACTED]);
  });

  it('reads JSON held in strings, three deep', () => {
    const wrap = (value: unknown, times: number): unknown =>
      times === 0 ? value : wrap(JSON.stringify({ a: value }), times - 1);
    const inner = { password: 'x', n: 1 };
    expect(redactValue(JSON.stringify(inner))).toEqual({
      value: `{"password":"${REDACTED}","n":1}`,
      redacted: ['/metadata/value'],
    });
    expect(redactedText(String(wrap(JSON.stringify(inner), 2)))).not.toContain('"x');
    expect(redactedText(String(wrap(JSON.stringify(inner), 3)))).toContain(REDACTED);
    expect(redactedText(' [{"token":"x"}] ')).toBe(`[{"token":"${REDACTED}"}]`);
    expect(redactedText('{ "token_count": 5 }')).toBe('{ "token_count": 5 }');
  });

  it('finds in JSON in a string what stands deeper than JSON is read', () => {
    const deep = (inner: string) => `${'['.repeat(600)}${inner}${']'.repeat(600)}`;
    expect(redactedText(deep('{"password":"hunter2"}'))).toBe(deep(`{"password":"${REDACTED}"}`));
    expect(redactedText(deep('{"passwords":512}'))).toBe(deep('{"passwords":512}'));
  });

  it('does not rewrite JSON in a string that it could not write back unchanged', () => {
    expect(redactedText('{"id":12345678901234567890,"password":"x"}')).toBe(REDACTED);
    expect(redactedText('{"id":12345678901234567890}')).toBe('{"id":12345678901234567890}');
  });

  it('redacts names that are secrets, without losing a member', () => {
    const { value, redacted } = redactValue({ [JWT]: 1, b: 2, [`${JWT}x`]: 3 });
    expect(Object.entries(value ?? {})).toEqual([
      [REDACTED, 1],
      ['b', 2],
      [`${REDACTED} 2`, 3],
    ]);
    expect(redacted).toEqual(['/metadata/value/[redacted]', '/metadata/value/[redacted] 2']);
  });

  it('takes numbers as cards under names of cards only', () => {
    const number = 4111111111111111;
    expect(
      redactValue({ card_number: number, cardNumber: [number], order: number, amount: number }).value,
    ).toEqual({
      card_number: REDACTED,
      cardNumber: [REDACTED],
      order: number,
      amount: number,
    });
    expect(
      redactValue({ order_id: String(number), phone: String(number), note: String(number) }).value,
    ).toEqual({
      order_id: String(number),
      phone: String(number),
      note: REDACTED,
    });
  });

  it('keeps a member named __proto__', () => {
    const value: unknown = JSON.parse('{"__proto__":{"password":"x"},"b":1}');
    const { redacted, ...result } = redactValue(value);
    expect(canonical(result.value)).toBe('{"__proto__":{"password":"[redacted]"},"b":1}');
    expect(redacted).toEqual(['/metadata/value/__proto__/password']);
  });

  it('keeps what holds no secret by reference', () => {
    const kept = { deep: [1, { a: 'b' }] };
    const { event } = redactEvent({ ...base, metadata: { kept, token: 'x' } });
    expect(event.metadata?.['kept']).toBe(kept);
    expect(event.actor).toBe(base.actor);
  });

  it('names the field alone once the places would fill more than an event', () => {
    const name = 'x'.repeat(20_000);
    const { redacted } = redactValue({ [name]: Array.from({ length: 2000 }, () => ({ pwd: 'x' })) });
    expect(redacted.length).toBe(4);
    expect(redacted.slice(2)).toEqual([`/metadata/value/${name}/2/pwd`, '/metadata']);
    const inner = `[${'{"pwd":"x"},'.repeat(2000)}1]`;
    expect(redactValue(inner).redacted).toEqual(['/metadata/value']);
  });

  it('never outgrows a field', () => {
    const { event } = redactEvent({ ...base, reason: 'pwd=a '.repeat(85) });
    expect(event.reason).toBe(REDACTED);
  });
});

describe('redactEvent', () => {
  it('changes nothing more the second time', () => {
    fc.assert(
      fc.property(json, text, text, (metadata, reason, id) => {
        const first = redactEvent({
          ...base,
          metadata: { metadata },
          reason,
          target: { type: 'x', id: `u${id}` },
        });
        const second = redactEvent(first.event);
        expect(second.redacted).toEqual([]);
        expect(second.event).toBe(first.event);
      }),
      { numRuns: 3000 },
    );
  });

  it('lets no planted secret through', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...planted),
        fc.array(around),
        fc.array(around),
        (secret, before, after) => {
          const { value } = redactValue(`${before.join(' ')} ${secret} ${after.join(' ')}`);
          expect(value).not.toContain(secret);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    'eyJ',
    '_eyJ',
    'eyJaaaaaaaaaaa.',
    '-sk-',
    '://',
    '://a:',
    '://a:b@',
    'a=',
    'token=',
    'token="',
    'token=\\"',
    '"token":"',
    '4111 ',
    '1-',
    '1 ',
    'SG.',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----',
    'bearer ',
    'bearer a-',
    'Bearer%20a_b=',
    'Bearer abcdefgh ',
    '://aB3dE5gH@',
    '://a:/',
    '-----END ',
    '-----BEGIN x',
    'Basic a',
    '{',
    '[',
    '[{"a":',
    '\\',
    '\\"',
    'password:\\"',
    '%3Dtoken%3D',
    'cookie:',
    'x-key:',
    'aA',
    '_',
    '.',
    'token =',
    ' ',
    '" :',
    "password=>'",
    '\n',
    // Again where a machine that is busy with something else made it look otherwise.
  ])('takes linear time on 64 KiB of %j', { retry: 3 }, (unit) => {
    const text = (size: number) => unit.repeat(Math.ceil(size / unit.length));
    const time = (hostile: string, times: number) => {
      const start = performance.now();
      for (let i = 0; i < times; i += 1) {
        for (const value of [hostile, `{${hostile}}`, `token=:// ["${hostile}`]) redactValue(value);
      }
      return performance.now() - start;
    };
    // As much text at once as in four parts, so that a busy machine interrupts both alike; the best of several rounds.
    // The square of it would take four times as long. A millisecond covers the clock.
    const rounds = Array.from({ length: 8 }, () => [time(text(65_536), 1), time(text(16_384), 4)] as const);
    const [whole, parts] = [0, 1].map((which) =>
      Math.min(...rounds.slice(1).map((round) => round[which] ?? 0)),
    );
    expect(whole).toBeLessThan(2.5 * (parts ?? 0) + 1);
  });
});

const planted = [
  JWT,
  `sk_live_${letters(24)}`,
  `ghp_${letters(36)}`,
  'AKIAIOSFODNN7EXAMPLE',
  '4111-1111-1111-1111',
  `AIza${letters(35)}`,
  `npm_${letters(36)}`,
  `dbo_${letters(43)}`,
];
const around = fc.constantFrom(
  'a',
  '"',
  '=',
  ':',
  'user',
  '(',
  'https://h/',
  '?x=1',
  ',',
  '{',
  '[',
  '1',
  'é',
);
const piece = fc.constantFrom(
  ...planted,
  'password',
  'token',
  'api_key',
  '=',
  ':',
  '"',
  "'",
  '\\',
  '\\"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ' ',
  '&',
  ';',
  '%3D',
  '%26',
  '://',
  '@',
  '/',
  'u',
  '1',
  '42',
  'Bearer ',
  'bearer%20',
  'abc.def.ghi',
  'abcdefghijkl',
  'Basic ',
  'dXNlcjpwYXNz',
  PEM,
  '-----BEGIN PRIVATE KEY-----',
  '-----BEGIN ',
  '-----',
  '-----END CERTIFICATE-----',
  'https://',
  'https://aB3dE5gH',
  '482913',
  REDACTED,
  'eyJ',
  '.',
  '-',
  '#',
  '?',
  '\n',
  '=>',
  'null',
  '*',
  'é',
  'user:pw',
  'sk-',
  '4111',
);
const text = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''));
const name = fc.oneof(
  text,
  fc.constantFrom(
    'a',
    'field',
    'old',
    'value',
    'password',
    'token',
    'tokens',
    'card',
    'order_id',
    '__proto__',
  ),
);
const { node: json } = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.constantFrom(null, true, 5, 482913, '482913', 4111111111111111),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(name, tie('node'), { maxKeys: 3 }),
    tie('node').map((value) => JSON.stringify(value)),
  ),
}));

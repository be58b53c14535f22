import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { revokeKey } from '../../src/auth/issue.ts';
import { signKey, type KeyClaims } from '../../src/auth/key.ts';
import { makeOperatorKey } from '../../src/auth/operator.ts';
import { makeId } from '../../src/events/id.ts';
import { anEvent, clientOf } from '../support/client.ts';
import { deploy, KEY_SECRET, type Deployment } from '../support/deployment.ts';
import { countEvents } from '../support/stored.ts';

let deployment: Deployment;
let revoked: string;

beforeAll(async () => {
  deployment = await deploy();
  // Before the Worker's first request, with which it reads the list of revoked keys.
  revoked = await deployment.key();
  const [row] = await deployment.database.owner.query(
    'SELECT id FROM audit.api_keys ORDER BY id DESC LIMIT 1',
  );
  expect(await revokeKey(deployment.database.owner, String(row?.['id']))).toBe(true);
});
afterAll(() => deployment.close());

function claims(fields: Partial<KeyClaims> = {}): KeyClaims {
  return { id: makeId(Date.now()), workspaces: ['acme'], scopes: ['events:write', 'events:read'], ...fields };
}

/** The claims of a key, changed, under the tag that it has. */
function tampered(key: string, change: (claims: string) => string): string {
  const bytes = Buffer.from(key.slice('dbk_'.length), 'base64url');
  const changed = Buffer.from(change(bytes.subarray(32).toString()));
  return `dbk_${Buffer.concat([bytes.subarray(0, 32), changed]).toString('base64url')}`;
}

const ROUTES: [string, string, unknown][] = [
  ['POST', '/v1/events?ack=committed', anEvent()],
  ['POST', '/v1/events/batch?ack=committed', { events: [anEvent()] }],
  ['GET', '/v1/events', undefined],
  ['GET', `/v1/events/${anEvent().id}`, undefined],
  ['GET', '/v1/retention', undefined],
  ['POST', '/v1/retention/run', undefined],
];

describe.each(ROUTES)('%s %s', (method, path, body) => {
  /** Why a request is refused, everything else about the refusal being in order. */
  async function refusal(key: string | undefined, headers?: Record<string, string>): Promise<unknown> {
    const answer = await clientOf(deployment, key).send(method, path, body, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer');
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(answer.body.request_id).toBe(answer.headers.get('X-Request-Id'));
    expect(await countEvents(deployment)).toBe(0);
    return answer.body.code;
  }

  test('refuses a request without a key', async () => {
    expect(await refusal(undefined)).toBe('missing_key');
  });

  test.each(['Bearer', 'Bearer ', 'Basic dTpw', 'Token dbk_x', 'dbk_AAAA', 'Bearer a b', ''])(
    'refuses the header "Authorization: %s"',
    async (header) => {
      expect(await refusal(undefined, { Authorization: header })).toBe(
        header === '' ? 'missing_key' : 'malformed_key',
      );
    },
  );

  test.each(['dbk_', 'dbk_AAAA', 'dbk_!!!!', 'sk_live_1234567890', 'x', `dbk_${'A'.repeat(30_000)}`])(
    'refuses what is no key',
    async (key) => {
      expect(await refusal(key)).toBe('malformed_key');
    },
  );

  test('refuses a forged key', async () => {
    const key = await deployment.key();
    const [head, tail] = [key.slice(0, 20), key.slice(21)];
    const forgeries = [
      await signKey(claims(), 'a secret of somebody else that is long enough'),
      `${head}${key[20] === 'A' ? 'B' : 'A'}${tail}`,
      tampered(key, (text) => text.replace('acme', 'beta')),
      tampered(key, (text) => text.replace('events:read', 'keys:manage')),
      tampered(key, (text) => text.replace(/\}$/, ',"scopes":["events:write"]}')),
      tampered(key, () => '{}'),
      key.slice(0, -8),
      `${key}AAAA`,
      `dbk_${Buffer.alloc(64).toString('base64url')}`,
    ];
    for (const forgery of forgeries) expect(await refusal(forgery)).toBe('invalid_key');
  });

  test('refuses a key that has expired', async () => {
    const key = await signKey(claims({ expires: Math.floor(Date.now() / 1000) - 1 }), KEY_SECRET);
    expect(await refusal(key)).toBe('expired_key');
  });

  test('refuses a key that was revoked', async () => {
    expect(await refusal(revoked)).toBe('revoked_key');
  });

  test("refuses another deployment's operator key", async () => {
    expect(await refusal(makeOperatorKey())).toBe('invalid_key');
  });

  test('never says more of a key than that', async () => {
    for (const key of [
      revoked,
      'dbk_secretpart',
      tampered(revoked, (text) => text.replace('acme', 'beta')),
    ]) {
      const answer = await clientOf(deployment, key).send(method, path, body);
      const text = JSON.stringify(answer.body) + JSON.stringify([...answer.headers]);
      expect(text).not.toContain(key.slice(4));
      expect(text).not.toMatch(/acme|beta/);
    }
  });
});

describe('a good key', () => {
  test.each(['Bearer', 'bearer', 'BEARER', 'Bearer  '])('may follow "%s"', async (scheme) => {
    const answer = await clientOf(deployment, undefined).get('/v1/events', {
      Authorization: `${scheme} ${await deployment.key()}`,
    });
    expect(answer.status).toBe(200);
  });

  test('works until it expires', async () => {
    const key = await deployment.key({ expiresAt: Date.now() + 60_000 });
    expect((await clientOf(deployment, key).get('/v1/events')).status).toBe(200);
  });

  test('may cover a hundred workspaces', async () => {
    const workspaces = Array.from({ length: 100 }, (_, index) => `workspace-${index}-${'x'.repeat(110)}`);
    const answer = await clientOf(deployment, await deployment.key({ workspaces })).get(
      `/v1/events?workspace_id=${workspaces[99]}`,
    );
    expect(answer.status).toBe(200);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { anEvent, clientOf } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { daybook } from './daybook.ts';

let deployment: Deployment;
let cwd: string;
let env: Record<string, string>;
beforeAll(async () => {
  deployment = await sharedDeployment();
  cwd = await mkdtemp(join(tmpdir(), 'catalogue-'));
  const { ownerUrl, endpoint } = deployment.database;
  env = { DATABASE_URL: ownerUrl, DAYBOOK_LOCAL_DATABASE: endpoint.url.href };
});
afterAll(async () => {
  await deployment.close();
  await rm(cwd, { recursive: true });
});

const definition = (actions: Record<string, unknown>) => ({
  vocabularies: ['tasks'],
  actions,
  targetTypes: ['report'],
});

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(cwd, name), content);
  return name;
}

/** What a strict workspace takes, as the operator sees it. */
async function taken(workspaceId: string) {
  const operator = clientOf(deployment, deployment.operatorKey);
  const { body } = await operator.get(`/v1/actions?workspace_id=${workspaceId}`);
  const own = (terms: { name: string; own: boolean }[]) =>
    terms.flatMap((term) => (term.own ? [term.name] : []));
  return {
    mode: body.mode,
    vocabularies: body.vocabularies,
    actions: own(body.actions),
    types: own(body.target_types),
  };
}

test('a catalogue is pushed from a module, and again from JSON without what it has no more', async () => {
  const source = new URL('../../src/events/catalogue.ts', import.meta.url);
  const first = await file(
    'first.ts',
    `import { defineCatalogue } from ${JSON.stringify(source.href)};
     export default defineCatalogue(${JSON.stringify(definition({ 'invoice.paid': { target: 'invoice' }, 'invoice.sent': {} }))});`,
  );
  const push = ['catalogue', 'push', first, '--workspace', 'pushed-1', '--strict'];
  expect(await daybook(push, { env, cwd })).toMatchObject({
    code: 0,
    out: expect.stringContaining('4 terms added, 0 removed'),
  });
  expect(await taken('pushed-1')).toEqual({
    mode: 'strict',
    vocabularies: ['tasks'],
    actions: ['invoice.paid', 'invoice.sent'],
    types: ['invoice', 'report'],
  });

  const second = await file('second.json', JSON.stringify(definition({ 'invoice.paid': {} })));
  const again = await daybook(['catalogue', 'push', second, '--workspace', 'pushed-1'], { env, cwd });
  expect(again.out).toContain('0 terms added, 2 removed');
  expect(again.out).toContain('removed: action invoice.sent, target type invoice');
  expect(again.out).toContain('It is strict, as it was');
  expect(await taken('pushed-1')).toMatchObject({
    mode: 'strict',
    actions: ['invoice.paid'],
    types: ['report'],
  });
});

test('a catalogue is pushed to a deployment with a key that may', async () => {
  const key = await deployment.key({
    workspaces: ['pushed-2'],
    scopes: ['catalogue:manage', 'events:write'],
  });
  const pushed = await file('third.json', JSON.stringify(definition({ 'report.opened': {} })));
  const push = ['catalogue', 'push', pushed, '--workspace', 'pushed-2', '--strict', '--url', deployment.url];
  expect(await daybook(push, { env: { DAYBOOK_API_KEY: key }, cwd })).toMatchObject({ code: 0 });

  const client = clientOf(deployment, key);
  const event = anEvent({ action: 'report.opened', target: { type: 'report' } });
  expect((await client.post('/v1/events?ack=committed', event)).status).toBe(201);
  expect((await client.post('/v1/events?ack=committed', anEvent())).status).toBe(422);

  const other = { DAYBOOK_API_KEY: await deployment.key() };
  expect(await daybook(push, { env: other, cwd })).toEqual({
    code: 1,
    out: expect.stringMatching(/answers 403: This needs a key with the scope catalogue:manage/),
  });
  expect((await daybook(push, { cwd })).out).toContain('Set DAYBOOK_API_KEY');
});

test('a push through the database leaves the audit events of what it changed', async () => {
  const definitions = [
    { vocabularies: ['tasks'], actions: { a: {}, b: {} } },
    { vocabularies: ['tasks', 'gdpr'], actions: { b: {}, c: { metadata: { amount: 'number' } } } },
  ];
  for (const [n, one] of definitions.entries()) {
    const pushed = await file(`told-${n}.json`, JSON.stringify(one));
    const ran = await daybook(['catalogue', 'push', pushed, '--workspace', 'pushed-4'], { env, cwd });
    expect(ran).toMatchObject({ code: 0 });
  }
  const rows = await deployment.database.owner.query(
    `SELECT action, actor_type, actor_id, old_value, new_value FROM audit.events WHERE workspace_id = 'pushed-4' ORDER BY received_at, action DESC`,
  );
  const owner = { actor_type: 'service', actor_id: 'owner' };
  const catalogue = { target_type_count: 0, target_types: [] };
  const put = (...actions: string[]) => ({
    replaces: true,
    action_count: actions.length,
    actions,
    ...catalogue,
  });
  const tasks = { vocabularies: ['tasks'] };
  expect(rows).toEqual([
    { ...owner, action: 'workspace.changed', old_value: null, new_value: tasks },
    { ...owner, action: 'catalogue.changed', old_value: null, new_value: put('a', 'b') },
    {
      ...owner,
      action: 'workspace.changed',
      old_value: { name: '', mode: 'open', ...tasks },
      new_value: { vocabularies: ['tasks', 'gdpr'] },
    },
    {
      ...owner,
      action: 'catalogue.changed',
      old_value: { action_count: 1, actions: ['a'], ...catalogue },
      new_value: put('b', 'c'),
    },
  ]);
});

test('a push to a deployment adds before it changes, and takes away after that', async () => {
  const key = await deployment.key({ workspaces: ['pushed-5'], scopes: ['catalogue:manage'] });
  const pushed = await file('order.json', JSON.stringify(definition({ 'report.opened': {} })));
  const push = ['catalogue', 'push', pushed, '--workspace', 'pushed-5', '--url', deployment.url];
  const ran = await daybook(push, { env: { DAYBOOK_API_KEY: key }, cwd });
  expect(ran.out).toContain('2 terms added, 0 removed');
  const query = `SELECT action, new_value->'replaces' AS replaces FROM audit.events WHERE workspace_id = 'pushed-5' ORDER BY received_at, id`;
  await vi.waitFor(async () =>
    expect(await deployment.database.owner.query(query)).toEqual([
      { action: 'catalogue.changed', replaces: false },
      { action: 'workspace.changed', replaces: null },
    ]),
  );
  const fewer = await file('order.json', JSON.stringify(definition({})));
  expect((await daybook(push.with(2, fewer), { env: { DAYBOOK_API_KEY: key }, cwd })).out).toContain(
    'removed: action report.opened',
  );
  await vi.waitFor(async () =>
    expect((await deployment.database.owner.query(query)).slice(2)).toEqual([
      { action: 'catalogue.changed', replaces: true },
    ]),
  );
});

test('a push tells the names, of many some, and that it made the workspace strict', async () => {
  const actions = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`a${n}`, {}]));
  const many = await file('many.json', JSON.stringify(definition(actions)));
  const ran = await daybook(['catalogue', 'push', many, '--workspace', 'pushed-6', '--strict'], { env, cwd });
  expect(ran.out).toMatch(
    /26 terms added, 0 removed\.\n {2}added: action a0, .*, action a19, and 6 more\n {2}vocabularies: tasks\n/,
  );
  expect(ran.out).toContain('It is strict now, by this push');
  expect(ran.out).not.toContain('WARNING');
});

test.each([
  ['the database', 'pushed-7'],
  ['a deployment', 'pushed-8'],
])('a push to %s that changes nothing says so, and leaves no audit event', async (to, workspace) => {
  const { database, url } = deployment;
  const key = await deployment.key({ workspaces: [workspace], scopes: ['catalogue:manage'] });
  const same = await file(
    'same.json',
    JSON.stringify(definition({ a: { target: 't', description: 'an a' } })),
  );
  const push = ['catalogue', 'push', same, '--workspace', workspace, '--strict'];
  const once = async () =>
    to === 'the database'
      ? daybook(push, { env, cwd })
      : daybook([...push, '--url', url], { env: { DAYBOOK_API_KEY: key }, cwd });
  const told = () =>
    database.owner.query('SELECT id FROM audit.events WHERE workspace_id = $1 ORDER BY id', [workspace]);

  expect((await once()).out).toContain('Every isolate knows');
  await vi.waitFor(async () => expect(await told()).toHaveLength(2));
  const before = await told();
  const again = await once();
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining('0 terms added, 0 removed.') });
  expect(again.out).toContain('Nothing changed.');

  const described = await file('same.json', JSON.stringify(definition({ a: { target: 't' } })));
  expect((await daybook(push.with(2, described), { env, cwd })).out).toContain('described anew: action a');
  await vi.waitFor(async () => expect(await told()).toEqual([...before, { id: expect.any(String) }]));
});

test('a push warns of a strict workspace that takes nothing', async () => {
  const none = await file('none.json', '{"targetTypes":["invoice"]}');
  const push = ['catalogue', 'push', none, '--workspace', 'pushed-9'];
  expect((await daybook(push, { env, cwd })).out).not.toContain('WARNING');
  expect((await daybook([...push, '--strict'], { env, cwd })).out).toContain(
    'WARNING: it is strict and has no action, so it refuses every event',
  );
});

test('a module is held to what a definition may have, as .json is', async () => {
  const source = new URL('../../src/events/catalogue.ts', import.meta.url);
  const bodies = [
    'const defineCatalogue = (definition) => definition;',
    `import { defineCatalogue } from ${JSON.stringify(source.href)};`,
  ];
  for (const [n, body] of bodies.entries()) {
    const bad = await file(
      `bad-${n}.js`,
      `${body}\nexport default defineCatalogue({ actions: { a: { metdata: {} } } });`,
    );
    const { code, out } = await daybook(['catalogue', 'push', bad, '--workspace', 'pushed-3'], { env, cwd });
    expect(out).toContain('actions["a"] has "metdata", which there is not');
    expect(code).toBe(1);
  }
});

test('a module whose default export is a Worker is told from a catalogue', async () => {
  const worker = await file('worker.js', 'export default { fetch() {}, queue() {} };');
  const { code, out } = await daybook(['catalogue', 'push', worker, '--workspace', 'pushed-3'], { env, cwd });
  expect(out).toContain('its default export is a Worker');
  expect(code).toBe(1);
});

test('a push is to one workspace, of an id that there can be', async () => {
  const pushed = await file('any.json', JSON.stringify(definition({})));
  for (const workspace of ['*', 'x'.repeat(129)]) {
    const { code, out } = await daybook(['catalogue', 'push', pushed, '--workspace', workspace], {
      env,
      cwd,
    });
    expect(out).toContain('--workspace takes the id of one workspace');
    expect(code).toBe(1);
  }
});

test.each([
  ['{}', /has no vocabularies, actions or targetTypes/],
  [
    '{"actions":{"a":{}},"target_types":["invoice"]}',
    /the definition has "target_types", which there is not\. It may have vocabularies/,
  ],
  ['{"actions":{"a":{"targets":"invoice"}}}', /actions\["a"\] has "targets"/],
  ['{"actions":{"two words":{}}}', /actions\.0\.name: Send an action/],
  ['{"vocabularies":["nautical"]}', /vocabularies: there is no "nautical"\. The built-in ones are desktop/],
  ['{"actions":{"a":{"metadata":{"n":"strin"}}}}', /actions\["a"\]\.metadata\["n"\] is "strin"/],
  ['{"actions":[]}', /is no catalogue: actions/],
  ['{', /cannot be read as a catalogue/],
])('what is no catalogue is refused, and changes nothing: %s', async (content, message) => {
  const bad = await file('bad.json', content);
  const { code, out } = await daybook(['catalogue', 'push', bad, '--workspace', 'pushed-3'], { env, cwd });
  expect(out).toMatch(message);
  expect(code).toBe(1);
  expect((await taken('pushed-3')).actions).toEqual([]);
});

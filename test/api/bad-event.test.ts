import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { anEvent, clientOf, type Client } from '../support/client.ts';
import type { Deployment } from '../support/deployment.ts';
import { sharedDeployment } from '../support/shared-deployment.ts';
import { flawsOf } from '../support/flaws.ts';
import { countEvents } from '../support/stored.ts';

let deployment: Deployment;
let client: Client;
let stored: number;

beforeAll(async () => {
  deployment = await sharedDeployment();
  client = clientOf(deployment, await deployment.key());
});
afterAll(() => deployment.close());

const actor = { type: 'user', id: 'u_1' };

describe('an event is refused, and nothing is stored,', () => {
  beforeEach(async () => {
    stored = await countEvents(deployment);
  });
  afterEach(async () => {
    expect(await countEvents(deployment), 'nothing is stored').toBe(stored);
  });

  test('when it is empty, with every field that is required', async () => {
    expect((await flawsOf(client, {})).toSorted()).toEqual([
      '/action required',
      '/actor required',
      '/target required',
    ]);
  });

  test.each([
    [{ colour: 1 }, ['/colour unknown_field']],
    [{ actoin: 'x', targt: {} }, ['/actoin unknown_field', '/targt unknown_field']],
    [{ 'a/b~': 1 }, ['/a~1b~0 unknown_field']],
    [{ toString: 1, constructor: 1 }, ['/constructor unknown_field', '/toString unknown_field']],
    [{ actor: { ...actor, phone: '1' } }, ['/actor/phone unknown_field']],
    [
      { actor: { ...actor, on_behalf_of: { type: 'user', id: 'u', name: 'A' } } },
      ['/actor/on_behalf_of/name unknown_field'],
    ],
    [{ target: { type: 'x', email: 'a' } }, ['/target/email unknown_field']],
    [{ related_targets: [{ type: 'x' }, { type: 'x', url: 'a' }] }, ['/related_targets/1/url unknown_field']],
    [{ context: { ip: '203.0.113.7' } }, ['/context/ip unknown_field']],
    [
      { created_at: '2026-01-31T09:30:00Z', key_id: 'x' },
      ['/created_at unknown_field', '/key_id unknown_field'],
    ],
  ])('with unknown fields: %j', async (fields, flaws) => {
    expect((await flawsOf(client, anEvent(fields))).toSorted()).toEqual(flaws);
  });

  test.each(['', '/actor', '/target', '/context'])(
    'with a field called __proto__ in "%s"',
    async (parent) => {
      const event = JSON.stringify(anEvent({ context: { request_id: 'r' } }));
      const place = parent === '' ? /^\{/ : new RegExp(`"${parent.slice(1)}":\\{`);
      const text = event.replace(place, (start) => `${start}"__proto__":{"type":"x"},`);
      expect(await flawsOf(client, text)).toEqual([`${parent}/__proto__ unknown_field`]);
    },
  );

  test.each([
    [{ action: 1 }, '/action wrong_type'],
    [{ actor: 'u_1' }, '/actor wrong_type'],
    [{ actor: [] }, '/actor wrong_type'],
    [{ target: null }, '/target required'],
    [{ target: undefined }, '/target required'],
    [{ target: {} }, '/target/type required'],
    [{ target: { type: 'x', id: 7 } }, '/target/id wrong_type'],
    [{ related_targets: {} }, '/related_targets wrong_type'],
    [{ related_targets: ['x'] }, '/related_targets/0 wrong_type'],
    [{ related_targets: [{ id: 'x' }] }, '/related_targets/0/type required'],
    [{ outcome: true }, '/outcome wrong_type'],
    [{ outcome: 'ok' }, '/outcome invalid_value'],
    [{ reason: {} }, '/reason wrong_type'],
    [{ context: 'x' }, '/context wrong_type'],
    [{ metadata: [] }, '/metadata wrong_type'],
    [{ metadata: 'x' }, '/metadata wrong_type'],
    [{ version: '1' }, '/version wrong_type'],
    [{ version: 1.5 }, '/version wrong_type'],
    [{ workspace_id: 7 }, '/workspace_id wrong_type'],
    [{ source_id: 7 }, '/source_id wrong_type'],
    [{ occurred_at: 1_700_000_000 }, '/occurred_at wrong_type'],
    [{ id: 7 }, '/id wrong_type'],
  ])('with a wrong type: %j', async (fields, flaw) => {
    expect(await flawsOf(client, anEvent(fields))).toEqual([flaw]);
  });

  test.each([0, -1, 2 ** 31, 1e300, -1e300])('with the version %d', async (version) => {
    expect(await flawsOf(client, anEvent({ version }))).toEqual(['/version invalid_value']);
  });

  test.each([
    [{ type: 'user' }, '/actor/id required'],
    [{ type: 'service', id: null }, '/actor/id required'],
    [{ type: 'anonymous', id: 'u_1' }, '/actor/id invalid_value'],
    [{ type: 'system', id: 'cron' }, '/actor/id invalid_value'],
    [{ type: 'robot', id: 'r' }, '/actor/type invalid_value'],
    [{ id: 'u_1' }, '/actor/type required'],
    [{ ...actor, on_behalf_of: { type: 'user' } }, '/actor/on_behalf_of/id required'],
  ])('with the actor %j', async (value, flaw) => {
    expect(await flawsOf(client, anEvent({ actor: value }))).toEqual([flaw]);
  });

  test('with every flaw named at once', async () => {
    const event = {
      action: '!',
      actor: { type: 'user' },
      target: {},
      version: 0,
      context: { ip_address: 'x' },
      extra: 1,
    };
    const flaws = await flawsOf(client, event);
    expect(flaws).toHaveLength(6);
    expect(new Set(flaws).size).toBe(6);
  });
});

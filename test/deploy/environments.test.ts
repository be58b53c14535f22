import { expect, test } from 'vitest';
import { unstable_readConfig } from 'wrangler';

/** Of what wrangler reads, whose types are lost in its own. */
interface Settings {
  name: string;
  vars: unknown;
  queues: unknown;
  ratelimits: { namespace_id: string }[];
  triggers: unknown;
  observability: unknown;
  minify: unknown;
  keep_names: unknown;
}

/** What an environment of wrangler.toml comes to, with its names written as those of the one at the top. */
function settingsOf(env: string, worker: string): { settings: unknown; namespaces: string[] } {
  const config = new URL('../../wrangler.toml', import.meta.url).pathname;
  const { name, vars, queues, ratelimits, triggers, observability, minify, keep_names } = unstable_readConfig(
    { config, env },
  ) as Settings;
  expect(name).toBe(worker);
  const settings = {
    vars,
    queues: JSON.parse(JSON.stringify(queues).replaceAll(`"${worker}`, '"daybook')) as unknown,
    ratelimits: ratelimits.map((limit) => ({ ...limit, namespace_id: '' })),
    triggers,
    observability,
    minify,
    keep_names,
  };
  return { settings, namespaces: ratelimits.map(({ namespace_id }) => namespace_id) };
}

test('production has the settings of the Worker at the top, with names and counters of its own', () => {
  const top = settingsOf('', 'daybook');
  const production = settingsOf('production', 'daybook-production');
  expect(production.settings).toEqual(top.settings);
  expect(new Set([...top.namespaces, ...production.namespaces]).size).toBe(4);
});

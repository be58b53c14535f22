import { defineCommand } from 'citty';
import { issueKey, listKeys, revokeKey } from '../auth/issue.ts';
import { SCOPES, type Scope } from '../auth/key.ts';
import { asOwner, devOption, signingSecret } from './environment.ts';
import { UsageError } from './usage-error.ts';

const create = defineCommand({
  meta: { name: 'create', description: 'Make an API key and print it; it cannot be shown again' },
  args: {
    ...devOption,
    name: { type: 'string', description: 'What the key is for', required: true },
    workspace: {
      type: 'string',
      description: 'Workspace ids, comma-separated, or * (write only)',
      required: true,
    },
    scope: { type: 'string', description: `Comma-separated: ${SCOPES.join(', ')}`, default: 'events:write' },
    expires: {
      type: 'string',
      description: 'An RFC 3339 time, or a number of days such as 90d; never when left out',
    },
  },
  async run({ args }) {
    const request = {
      name: args.name,
      workspaces: args.workspace.split(',').map((id) => id.trim()),
      scopes: args.scope.split(',').map(toScope),
      expiresAt: args.expires === undefined ? undefined : toTime(args.expires),
    };
    const secret = signingSecret(args);
    const { id, key } = await asOwner(args, (sql) => issueKey(sql, secret, request));
    console.error(`Key ${id}. Keep it now: it is stored nowhere.`);
    console.log(key);
  },
});

const list = defineCommand({
  meta: { name: 'list', description: 'List keys, newest first' },
  args: { ...devOption, workspace: { type: 'string', description: 'Only keys of this workspace' } },
  async run({ args }) {
    for (const key of await asOwner(args, (sql) => listKeys(sql, args.workspace))) {
      const state =
        key.revoked_at !== null
          ? `revoked ${key.revoked_at}`
          : key.expires_at !== null
            ? `expires ${key.expires_at}`
            : 'active';
      console.log([key.id, key.name, key.workspaces.join(','), key.scopes.join(','), state].join('  '));
    }
  },
});

const revoke = defineCommand({
  meta: { name: 'revoke', description: 'Revoke a key; the Worker obeys within a minute' },
  args: {
    ...devOption,
    id: { type: 'positional', description: 'The id that "keys list" shows', required: true },
  },
  async run({ args }) {
    if (!(await asOwner(args, (sql) => revokeKey(sql, args.id))))
      throw new UsageError('There is no key with this id that is not revoked.');
    console.log(`Revoked ${args.id}.`);
  },
});

export const keysCommand = defineCommand({
  meta: { name: 'keys', description: 'Create, list and revoke API keys' },
  subCommands: { create, list, revoke },
});

function toScope(text: string): Scope {
  const scope = SCOPES.find((known) => known === text.trim());
  if (scope === undefined)
    throw new UsageError(`There is no scope ${text}. Choose from ${SCOPES.join(', ')}.`);
  return scope;
}

function toTime(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const time = days === undefined ? Date.parse(text) : Date.now() + Number(days) * 86_400_000;
  if (Number.isNaN(time)) throw new UsageError('--expires takes an RFC 3339 time, or days such as 90d.');
  return time;
}

import { randomBytes } from 'node:crypto';
import { hashOperatorKey, makeOperatorKey } from '../../auth/operator.ts';
import { KEY_SECRETS } from '../../env.ts';
import { parseDatabaseUrl } from '../database-url.ts';
import { UsageError } from '../usage-error.ts';
import { appUrlOf } from './app-role.ts';
import type { Keys, WorkerSecrets } from './kept.ts';

/** What is to be made anew although there is one. */
export interface Rotation {
  password: boolean;
  keySecret: boolean;
  operatorKey: boolean;
}

/** What is known before anything is decided. */
export interface Situation {
  ownerUrl: string;
  /** the file that `kept` was read from */
  file: string;
  kept: Partial<WorkerSecrets>;
  /** whether the Worker's role can log in, with whatever password */
  roleCanLogIn: boolean;
  /** whether API keys were issued, under whatever secret */
  hasKeys: boolean;
}

export interface Decided {
  secrets: WorkerSecrets;
  /** with the operator's key, where it is new */
  keys: Keys;
  /** names of those that are new */
  made: Set<keyof WorkerSecrets>;
}

/**
 * Keeps what a deployment may be running with, and makes the rest.
 * @throws UsageError where making it would break a deployment whose secrets are not here
 */
export async function decideSecrets(situation: Situation, rotate: Rotation): Promise<Decided> {
  const { kept } = situation;
  const operator = await operatorOf(kept.DAYBOOK_OPERATOR_KEY_HASHES, rotate.operatorKey);
  const secrets = {
    DATABASE_URL: databaseUrlOf(situation, rotate.password),
    DAYBOOK_KEY_SECRET: keySecretOf(situation, rotate.keySecret),
    DAYBOOK_OPERATOR_KEY_HASHES: operator.hashes,
  };
  const names = ['DATABASE_URL', 'DAYBOOK_KEY_SECRET', 'DAYBOOK_OPERATOR_KEY_HASHES'] as const;
  const made = new Set(names.filter((name) => secrets[name] !== kept[name]));
  return { secrets, keys: operator.key === undefined ? {} : { DAYBOOK_OPERATOR_KEY: operator.key }, made };
}

function databaseUrlOf({ ownerUrl, file, kept, roleCanLogIn }: Situation, rotate: boolean): string {
  if (kept.DATABASE_URL !== undefined) {
    const [here, there] = [parseDatabaseUrl(kept.DATABASE_URL), new URL(ownerUrl)].map(databaseOf);
    if (here !== there) {
      throw new UsageError(
        `${file} is of the database ${here}, and DATABASE_URL names ${there}. For another deployment add --env, or work in another directory.`,
      );
    }
    if (!rotate) return kept.DATABASE_URL;
  } else if (roleCanLogIn && !rotate) {
    throw new UsageError(
      `daybook_app can log in already, and its password is not in ${file}. Write it there, as {"DATABASE_URL": "postgres://daybook_app:…@…/…"}, or bring the file of the earlier setup. Or add --rotate-password: whatever uses the old one is locked out, in every database of this server.`,
    );
  }
  return appUrlOf(ownerUrl, secret());
}

/** Neon's pooler is the same database. */
function databaseOf({ hostname, port, pathname }: URL): string {
  return `${hostname.replace(/^([^.]+)-pooler\./, '$1.')}${port === '' ? '' : `:${port}`}${pathname}`;
}

function keySecretOf({ file, kept, hasKeys }: Situation, rotate: boolean): string {
  const known = kept.DAYBOOK_KEY_SECRET;
  if (known === undefined) {
    if (!hasKeys || rotate) return secret();
    throw new UsageError(
      `API keys were issued, and the secret that signed them is not in ${file}. Write DAYBOOK_KEY_SECRET there, as the Worker has it. Or add --rotate-key-secret: the Worker will know none of those keys any more.`,
    );
  }
  const { data, error } = KEY_SECRETS.safeParse(known);
  const [first] = data ?? [];
  if (first === undefined)
    throw new UsageError(`DAYBOOK_KEY_SECRET in ${file}: ${error?.issues[0]?.message}. Mend it.`);
  return rotate ? `${secret()},${first}` : known;
}

async function operatorOf(
  hashes: string | undefined,
  rotate: boolean,
): Promise<{ hashes: string; key?: string }> {
  if (hashes !== undefined && !rotate) return { hashes };
  const key = makeOperatorKey();
  const [old = ''] = (hashes ?? '').split(',');
  return { key, hashes: [await hashOperatorKey(key), old.trim()].filter((hash) => hash !== '').join(',') };
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

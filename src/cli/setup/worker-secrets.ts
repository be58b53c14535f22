import { randomBytes } from 'node:crypto';
import { hashOperatorKey, isOperatorKey, makeOperatorKey } from '../../auth/operator.ts';
import { SECRETS } from '../../env.ts';
import { parseDatabaseUrl } from '../database-url.ts';
import { UsageError } from '../usage-error.ts';
import { APP_ROLE, appUrlOf } from './app-role.ts';
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
  keys: Keys;
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
 * @throws UsageError where making it would break a deployment whose secrets are not here, or the Worker would refuse what is
 */
export async function decideSecrets(situation: Situation, rotate: Rotation): Promise<Decided> {
  const { kept } = situation;
  const secrets = {
    DATABASE_URL: databaseUrlOf(situation, rotate.password),
    DAYBOOK_KEY_SECRET: keySecretOf(situation, rotate.keySecret),
  };
  const { hashes, key } = await operatorOf(situation, rotate.operatorKey);
  const decided = { ...secrets, DAYBOOK_OPERATOR_KEY_HASHES: hashes };
  const names = ['DATABASE_URL', 'DAYBOOK_KEY_SECRET', 'DAYBOOK_OPERATOR_KEY_HASHES'] as const;
  const made = new Set(names.filter((name) => decided[name] !== kept[name]));
  return { secrets: decided, keys: key === undefined ? {} : { DAYBOOK_OPERATOR_KEY: key }, made };
}

function databaseUrlOf({ ownerUrl, file, kept, roleCanLogIn }: Situation, rotate: boolean): string {
  if (kept.DATABASE_URL !== undefined) {
    const url = parseDatabaseUrl(kept.DATABASE_URL, `DATABASE_URL in ${file}`);
    if (url.username !== APP_ROLE) {
      throw new UsageError(
        `DATABASE_URL in ${file} is of another user than ${APP_ROLE}, and the Worker must be no other: what is recorded is safe from that one alone. Write the Worker's own there, postgres://${APP_ROLE}:password@host/database.`,
      );
    }
    const [here, there] = [url, new URL(ownerUrl)].map(databaseOf);
    if (here !== there) {
      throw new UsageError(
        `${file} is of the database ${here}, and DATABASE_URL names ${there}. For another deployment add --env, or work in another directory.`,
      );
    }
    if (!rotate) return kept.DATABASE_URL;
  } else if (roleCanLogIn && !rotate) {
    throw new UsageError(
      `${APP_ROLE} can log in already, and its password is not in ${file}. Write it there, as {"DATABASE_URL": "postgres://${APP_ROLE}:…@…/…"}, or bring the file of the earlier setup. Or add --rotate-password: whatever uses the old one is locked out, in every database of this server.`,
    );
  }
  return appUrlOf(ownerUrl, secret());
}

/** Neon's pooler is the same database, and so is a host in capitals, or the port that is meant where there is none. */
function databaseOf({ hostname, port, pathname }: URL): string {
  const host = hostname.toLowerCase().replace(/^([^.]+)-pooler\./, '$1.');
  return `${host}${port === '' || port === '5432' ? '' : `:${port}`}${pathname}`;
}

function keySecretOf({ file, kept, hasKeys }: Situation, rotate: boolean): string {
  const known = kept.DAYBOOK_KEY_SECRET;
  if (known === undefined) {
    if (!hasKeys || rotate) return secret();
    throw new UsageError(
      `API keys were issued, and the secret that signed them is not in ${file}. Write DAYBOOK_KEY_SECRET there, as the Worker has it. Or add --rotate-key-secret: the Worker will know none of those keys any more.`,
    );
  }
  const [first = '', ...others] = readAsTheWorker('DAYBOOK_KEY_SECRET', known, file);
  if (!rotate) return known;
  if (others.length > 0)
    throw underWay(`DAYBOOK_KEY_SECRET in ${file} holds two secrets`, 'the keys that it signed are replaced');
  return `${secret()},${first}`;
}

async function operatorOf(
  { file, kept, keys, hasKeys }: Situation,
  rotate: boolean,
): Promise<{ hashes: string; key?: string }> {
  const known = kept.DAYBOOK_OPERATOR_KEY_HASHES;
  const hashes =
    known === undefined
      ? await Promise.all([keys.DAYBOOK_OPERATOR_KEY ?? ''].filter(isOperatorKey).map(hashOperatorKey))
      : readAsTheWorker('DAYBOOK_OPERATOR_KEY_HASHES', known, file);
  if (!rotate && known !== undefined) return { hashes: known };
  if (!rotate && hashes.length > 0) return { hashes: hashes.join(',') };
  if (!rotate && (hasKeys || kept.DAYBOOK_KEY_SECRET !== undefined)) {
    throw new UsageError(
      `DAYBOOK_OPERATOR_KEY_HASHES is not in ${file}, and the Worker may have one. Write it there, as the Worker has it, or "" where it has none. Or add --rotate-operator-key: the Worker will know no other operator's key than the new one.`,
    );
  }
  if (hashes.length > 1)
    throw underWay(`DAYBOOK_OPERATOR_KEY_HASHES in ${file} holds two hashes`, 'nobody uses its key');
  const key = makeOperatorKey();
  return { key, hashes: [await hashOperatorKey(key), ...hashes].join(',') };
}

/** A third value would push out one that is still good. */
function underWay(what: string, once: string): UsageError {
  return new UsageError(`${what}: a rotation is under way. Take the second out first, once ${once}.`);
}

/** @throws UsageError where the Worker would refuse what the file holds */
function readAsTheWorker(
  name: 'DAYBOOK_KEY_SECRET' | 'DAYBOOK_OPERATOR_KEY_HASHES',
  value: string,
  file: string,
) {
  const { data, error } = SECRETS.shape[name].safeParse(value);
  if (data !== undefined) return data;
  throw new UsageError(
    `${name} in ${file}: ${error?.issues[0]?.message}. The Worker takes no other: mend it.`,
  );
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

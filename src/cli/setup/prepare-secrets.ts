import type { DatabaseAddress, Sql } from '../../db/client.ts';
import { SECRETS } from '../../env.ts';
import { verifyOperatorKey } from '../../auth/operator.ts';
import { typed } from '../typed.ts';
import { UsageError } from '../usage-error.ts';
import { APP_ROLE, canLogIn, checkLogin, setPassword } from './app-role.ts';
import { firstKey, workspacesOf } from './first-key.ts';
import { keepKeys, keepSecrets, readKept, type Files, type Keys, type WorkerSecrets } from './kept.ts';
import { decideSecrets, type Rotation } from './worker-secrets.ts';

export interface SecretsRequest {
  files: Files;
  rotate: Rotation;
  /** what the first API key is for */
  workspace: string;
}

/**
 * Lets the Worker's role log in, makes the Worker's secrets, the operator's key and an API key, and keeps them in files.
 * @throws UsageError where that would break a deployment whose secrets are not here, before anything is changed
 */
export async function prepareSecrets(
  sql: Sql,
  address: DatabaseAddress,
  { files, rotate, workspace }: SecretsRequest,
): Promise<void> {
  const kept = await readKept(files);
  const roleCanLogIn = await canLogIn(sql);
  const issued = await sql.query('SELECT FROM audit.api_keys LIMIT 1');
  const situation = {
    ownerUrl: address.url,
    file: files.secrets,
    kept: kept.secrets,
    keys: kept.keys,
    roleCanLogIn,
    hasKeys: issued.length > 0,
  };
  const { secrets, keys, made } = await decideSecrets(situation, rotate);
  const [first = '', ...others] = SECRETS.shape.DAYBOOK_KEY_SECRET.parse(secrets.DAYBOOK_KEY_SECRET);
  const known = kept.keys.DAYBOOK_API_KEY || undefined;
  const covered = known === undefined ? [workspace] : await workspacesOf(sql, [first, ...others], known);
  if (covered === undefined) {
    throw new UsageError(
      `DAYBOOK_API_KEY in ${files.keys} is not good here, or not any more: it is revoked, expired, or signed with another secret. Take that line out, and run setup again for a new one.`,
    );
  }

  // First what may fail, in the file before the database learns it: what is interrupted is mended by running again.
  if (made.has('DATABASE_URL'))
    await keepSecrets(files, { ...kept.secrets, DATABASE_URL: secrets.DATABASE_URL });
  const setting = rotate.password || !roleCanLogIn;
  if (setting) await setPassword(sql, secrets.DATABASE_URL);
  const remedy = `Mend DATABASE_URL in ${files.secrets}, or add --rotate-password.`;
  await checkLogin({ ...address, url: secrets.DATABASE_URL }, setting, remedy);
  console.log(`✓ ${APP_ROLE} can log in (${setting ? 'a new password' : 'as before'}).`);

  // A key before its hash, which nobody could use without it.
  await keepKeys(files, keys);
  if (made.size > 0) await keepSecrets(files, secrets);
  const news = made.size === 0 ? 'as they were' : `new: ${[...made].join(', ')}`;
  console.log(`✓ The Worker's secrets are in ${files.secrets} (${news}).`);

  if (known === undefined)
    await keepKeys(files, { DAYBOOK_API_KEY: await firstKey(sql, [first, ...others], workspace) });
  const operators = (await holdsOperatorKey({ ...kept.keys, ...keys }, secrets))
    ? " and the operator's are"
    : ' is';
  console.log(
    `✓ An API key for ${covered.join(', ')} (${known === undefined ? 'new' : 'as it was'})${operators} in ${files.keys}. "${typed('keys create')}" makes more.`,
  );
}

/** Whether the Worker will know the operator's key of the file. */
function holdsOperatorKey(
  { DAYBOOK_OPERATOR_KEY: key = '' }: Keys,
  secrets: WorkerSecrets,
): Promise<boolean> {
  const { DAYBOOK_OPERATOR_KEY_HASHES: hashes } = secrets;
  return verifyOperatorKey(key, SECRETS.shape.DAYBOOK_OPERATOR_KEY_HASHES.parse(hashes));
}

import type { DatabaseAddress, Sql } from '../../db/client.ts';
import { typed } from '../typed.ts';
import { canLogIn, checkLogin, setPassword } from './app-role.ts';
import { firstKey } from './first-key.ts';
import { keepKeys, keepSecrets, readKept, type Files } from './kept.ts';
import { decideSecrets, type Rotation } from './worker-secrets.ts';

export interface SecretsRequest {
  files: Files;
  rotate: Rotation;
  /** what the first API key is for */
  workspace: string;
}

/**
 * Lets the Worker's role log in, makes the Worker's secrets, the operator's key and an API key, and keeps them in files.
 * @throws UsageError where that would break a deployment whose secrets are not here
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
    roleCanLogIn,
    hasKeys: issued.length > 0,
  };
  const { secrets, keys, made } = await decideSecrets(situation, rotate);

  // Before the database learns the password: an interrupt between the two is mended by running again.
  await keepSecrets(files, secrets);
  await keepKeys(files, { ...kept.keys, ...keys });
  const news = made.size === 0 ? 'as they were' : `new: ${[...made].join(', ')}`;
  console.log(`✓ The Worker's secrets are in ${files.secrets} (${news}).`);

  const setting = rotate.password || !roleCanLogIn;
  if (setting) await setPassword(sql, secrets.DATABASE_URL);
  const remedy = `Mend DATABASE_URL in ${files.secrets}, or add --rotate-password.`;
  await checkLogin({ ...address, url: secrets.DATABASE_URL }, remedy);
  console.log(`✓ daybook_app can log in (${setting ? 'a new password' : 'as before'}).`);

  const [first = '', ...others] = secrets.DAYBOOK_KEY_SECRET.split(',').map((secret) => secret.trim());
  const api = await firstKey(sql, [first, ...others], kept.keys.DAYBOOK_API_KEY, workspace);
  await keepKeys(files, { ...kept.keys, ...keys, DAYBOOK_API_KEY: api.key });
  console.log(
    `✓ An API key for ${api.workspaces.join(', ')} (${api.isNew ? 'new' : 'as it was'}) and the operator's are in ${files.keys}. "${typed('keys create')}" makes more.`,
  );
}

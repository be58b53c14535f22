import { NeonDbError } from '@neondatabase/serverless';
import { connect, type DatabaseAddress, type Sql } from '../../db/client.ts';
import { databaseSays, describeFailure } from '../database-failure.ts';
import { UsageError } from '../usage-error.ts';

const ROLE = 'daybook_app';

/** The Worker's connection to the database that the owner's connection names. */
export function appUrlOf(ownerUrl: string, password: string): string {
  return Object.assign(new URL(ownerUrl), { username: ROLE, password: encodeURIComponent(password) }).href;
}

/** Whether the role has a password already. Roles are the server's: another database's Daybook may have given it one. */
export async function canLogIn(sql: Sql): Promise<boolean> {
  const [role] = await sql.query('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [ROLE]);
  return role?.['rolcanlogin'] === true;
}

/** Lets the Worker's role log in with the password of its URL. */
export async function setPassword(sql: Sql, appUrl: string): Promise<void> {
  const password = decodeURIComponent(new URL(appUrl).password);
  // DDL takes no parameters.
  await sql.query(`ALTER ROLE ${ROLE} LOGIN PASSWORD '${password.replaceAll("'", "''")}'`);
}

/** Does what the Worker does first. @throws UsageError with `remedy` where the database does not let it in */
export async function checkLogin(address: DatabaseAddress, remedy: string): Promise<void> {
  try {
    await connect(address).query('SELECT audit.readiness()');
  } catch (error) {
    if (!(error instanceof NeonDbError)) throw error;
    if (error.sourceError !== undefined)
      throw new UsageError(describeFailure(error, address), { cause: error });
    throw new UsageError(`${ROLE} cannot work with the database. ${databaseSays(error)}. ${remedy}`, {
      cause: error,
    });
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import { NeonDbError } from '@neondatabase/serverless';
import { connect, type DatabaseAddress, type Sql } from '../../db/client.ts';
import { databaseSays, describeFailure } from '../database-failure.ts';
import { UsageError } from '../usage-error.ts';

/** Whom the Worker logs in as. */
export const APP_ROLE = 'daybook_app';

/** ms for which a login with a new password is tried again: Neon's proxy may still know the old one. */
const PASSWORD_SETTLES = 5000;
const PAUSE = 250;

/** The Worker's connection to the database that the owner's connection names. */
export function appUrlOf(ownerUrl: string, password: string): string {
  return Object.assign(new URL(ownerUrl), { username: APP_ROLE, password: encodeURIComponent(password) })
    .href;
}

/** Whether the role has a password already. Roles are the server's: another database's Daybook may have given it one. */
export async function canLogIn(sql: Sql): Promise<boolean> {
  const [role] = await sql.query('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [APP_ROLE]);
  return role?.['rolcanlogin'] === true;
}

/** Lets the Worker's role log in with the password of its URL. */
export async function setPassword(sql: Sql, appUrl: string): Promise<void> {
  const password = decodeURIComponent(new URL(appUrl).password);
  // DDL takes no parameters.
  await sql.query(`ALTER ROLE ${APP_ROLE} LOGIN PASSWORD '${password.replaceAll("'", "''")}'`);
}

/**
 * Does what the Worker does first.
 * @param isNew whether the password was set just now
 * @throws UsageError with `remedy` where the database does not let it in, or lets in another
 */
export async function checkLogin(address: DatabaseAddress, isNew: boolean, remedy: string): Promise<void> {
  try {
    const user = await whoLogsIn(address, isNew ? Date.now() + PASSWORD_SETTLES : 0);
    if (user !== APP_ROLE)
      throw new UsageError(`The database takes the Worker for another than ${APP_ROLE}. ${remedy}`);
  } catch (error) {
    if (!(error instanceof NeonDbError)) throw error;
    if (error.sourceError !== undefined)
      throw new UsageError(describeFailure(error, address), { cause: error });
    throw new UsageError(`${APP_ROLE} cannot work with the database. ${databaseSays(error)}. ${remedy}`, {
      cause: error,
    });
  }
}

async function whoLogsIn(address: DatabaseAddress, until: number): Promise<unknown> {
  for (;;) {
    try {
      const [row] = await connect(address).query('SELECT current_user AS name, audit.readiness()');
      return row?.['name'];
    } catch (error) {
      if (!isWrongPassword(error) || Date.now() > until) throw error;
      await pause(PAUSE);
    }
  }
}

/** Neon's proxy, which asks for the password itself, gives no code. */
function isWrongPassword(error: unknown): boolean {
  return (
    error instanceof NeonDbError && (error.code === '28P01' || /password authentication/.test(error.message))
  );
}

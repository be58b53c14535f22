import { createHash } from 'node:crypto';
import { type Client, escapeIdentifier } from 'pg';
import type { Credentials } from './engine.ts';
import { PostgresError, type PostgresErrorFields } from './engine-errors.ts';
import { verifyPassword } from './scram-verifier.ts';

interface Role {
  verifier: string | null;
  can_login: boolean;
  expired: boolean;
  can_connect: boolean;
  /** Of the form `name=value`, from ALTER ROLE … SET and ALTER DATABASE … SET. */
  settings: string[];
}

/** Later settings win, in the order in which Postgres applies them at login. */
const roleQuery = `
  select rolpassword verifier, rolcanlogin can_login, coalesce(rolvaliduntil < now(), false) expired,
         has_database_privilege(oid, current_database(), 'connect') can_connect,
         array(select setting
               from pg_db_role_setting s cross join unnest(s.setconfig) setting
               where s.setrole in (0, r.oid)
                 and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
               order by s.setrole <> 0, s.setdatabase <> 0) settings
  from pg_authid r where rolname = $1`;

/**
 * Logs users in on the superuser's only session: PGlite itself knows no logins. Says no in the words of a
 * server, in its order: password, right to log in, database.
 */
export class PgliteLogin {
  readonly #database: string;
  /** Hashes of verifier and password that belong together: deriving a key takes milliseconds. */
  readonly #verified = new Set<string>();

  constructor(database: string) {
    this.#database = database;
  }

  /** Makes the session the user's. @throws PostgresError */
  async login(client: Client, { user, password, database }: Credentials): Promise<void> {
    const { rows } = await client.query<Role>(roleQuery, [user]);
    const [role] = rows;
    if (!role?.verifier || role.expired || !(await this.#matches(role.verifier, password))) {
      throw refusal('28P01', `password authentication failed for user "${user}"`, 'auth.c', 'auth_failed');
    }
    if (!role.can_login) {
      const message = `role "${user}" is not permitted to log in`;
      throw refusal('28000', message, 'miscinit.c', 'InitializeSessionUserId');
    }
    if (database !== this.#database) {
      throw refusal('3D000', `database "${database}" does not exist`, 'postinit.c', 'InitPostgres');
    }
    if (!role.can_connect) {
      const message = `permission denied for database "${database}"`;
      throw refusal(
        '42501',
        message,
        'postinit.c',
        'CheckMyDatabase',
        'User does not have CONNECT privilege.',
      );
    }
    await become(client, user, role.settings);
  }

  async #matches(verifier: string, password: string): Promise<boolean> {
    const pair = createHash('sha256')
      .update(JSON.stringify([verifier, password]))
      .digest('base64');
    if (this.#verified.has(pair)) return true;
    const matches = await verifyPassword(verifier, password);
    if (matches) this.#verified.add(pair);
    return matches;
  }
}

async function become(client: Client, user: string, settings: string[]): Promise<void> {
  const set = async (setting: string) => {
    const [name = ''] = setting.split('=', 1);
    // As at a server's login, a setting that does not apply is passed over.
    await client
      .query('select set_config($1, $2, false)', [name, setting.slice(name.length + 1)])
      .catch(() => {});
  };
  // A superuser may have set what the user may not, hence before; the change of user undoes `role`, hence after.
  for (const setting of settings.filter((setting) => !isRole(setting))) await set(setting);
  await client.query(`SET SESSION AUTHORIZATION ${escapeIdentifier(user)}`);
  for (const setting of settings.filter(isRole)) await set(setting);
}

function isRole(setting: string): boolean {
  return setting.startsWith('role=');
}

function refusal(
  code: string,
  message: string,
  file: string,
  routine: string,
  detail?: string,
): PostgresError {
  const fields: PostgresErrorFields = { message, severity: 'FATAL', code, detail, file, routine };
  return new PostgresError(fields);
}

import { connect, type Sql } from '../../src/db/client.ts';
import { makeOwner } from '../../src/local/dev-database.ts';
import { startEndpoint } from '../../src/local/endpoint.ts';
import { connectPostgres } from '../../src/local/postgres-engine.ts';
import { startServer } from './postgres-server.ts';

/** A real server on which a test makes as many databases as it likes. Roles are the server's. */
export interface Cluster {
  /** The endpoint, as `DAYBOOK_LOCAL_DATABASE` names it. */
  endpoint: string;
  /** Makes an empty database that belongs to the owner, as on Neon. */
  create(): Promise<ClusterDatabase>;
  close(): Promise<void>;
}

export interface ClusterDatabase {
  name: string;
  owner: Sql;
  ownerUrl: string;
  superuser: Sql;
}

export async function startCluster(): Promise<Cluster> {
  const server = await startServer();
  const engine = connectPostgres({ host: '127.0.0.1', port: server.port });
  const endpoint = await startEndpoint({ engine });
  const localEndpoint = endpoint.url.href;
  const address = new URL(await makeOwner(server.superuser, localEndpoint));
  const { user, password, database } = server.superuser;
  const superuserOf = (name: string) =>
    connect({ url: `postgres://${user}:${password}@localhost/${name}`, localEndpoint });
  const superuser = superuserOf(database);
  let made = 0;
  return {
    endpoint: localEndpoint,
    create: async () => {
      made += 1;
      const name = `database_${made}`;
      await superuser.query(`CREATE DATABASE ${name} OWNER daybook_owner STRATEGY file_copy`);
      const ownerUrl = Object.assign(new URL(address), { pathname: `/${name}` }).href;
      return {
        name,
        ownerUrl,
        owner: connect({ url: ownerUrl, localEndpoint }),
        superuser: superuserOf(name),
      };
    },
    close: async () => {
      await endpoint.close();
      await engine.close();
      await server.remove();
    },
  };
}

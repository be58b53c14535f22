import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { CASES, type SourceCase } from '../test/import/sources/cases.ts';
import { fillPostgres, fillSqlite } from '../test/import/sources/fill.ts';
import type { TestServer } from '../test/support/postgres-server.ts';

/** What the command is told to import. */
export interface BenchSource {
  title: string;
  /** the same rows for another round, into workspaces of its own */
  round(name: string): Promise<{ args: string[]; workspaces: string[] }>;
}

const DAYS = 60;

/** Rows of about 500 bytes in the order of their time, over 60 days, each with an address, as an app writes them to SQLite. */
export function ordinaryLog(directory: string, rows: number): BenchSource {
  const path = join(directory, 'app.db');
  const database = new DatabaseSync(path);
  database.exec(
    `CREATE TABLE audit_logs (
       id TEXT PRIMARY KEY, user_id TEXT NOT NULL, action TEXT NOT NULL, resource_type TEXT NOT NULL, resource_id TEXT,
       details TEXT, metadata TEXT, ip_address TEXT, user_agent TEXT, timestamp DATETIME NOT NULL);
     BEGIN`,
  );
  const insert = database.prepare('INSERT INTO audit_logs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const actions = ['TRANSACTION_UPDATE', 'LOGIN', 'CONTACT_UPDATE'];
  for (let row = 0; row < rows; row += 1) {
    const at = Date.now() - DAYS * 86_400_000 * (1 - row / rows);
    insert.run(
      `${row.toString(16).padStart(8, '0')}-77aa-4bbb-8ccc-1234567890ab`,
      `user_${row % 500}`,
      actions[row % 3] ?? 'LOGIN',
      'TRANSACTION',
      `tx_${row % 10_000}`,
      JSON.stringify({
        status: 'sent',
        amount: 1250,
        currency: 'EUR',
        before: { status: 'draft', amount: 1250 },
      }),
      JSON.stringify({ plan: 'enterprise', origin: 'desktop', attempt: row % 5 }),
      `203.0.113.${row % 250}`,
      'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
      new Date(at).toISOString().replace('T', ' ').replace('Z', ''),
    );
  }
  database.exec('COMMIT');
  database.close();
  return {
    title: 'an ordinary log in SQLite',
    round: async (name) => ({
      args: ['--preset', 'desktop', '--from', path, '--workspace', name],
      workspaces: [name],
    }),
  };
}

/** The tables of the five products, with the valid rows of the tests: of any age, in no order. */
export async function productLogs(
  directory: string,
  rows: number,
  { port, superuser }: TestServer,
): Promise<BenchSource[]> {
  const { user, password } = superuser;
  const admin = new pg.Client({ ...superuser, host: '127.0.0.1', port });
  await admin.connect();
  const made: BenchSource[] = [];
  for (const [index, source] of CASES.entries()) {
    const values = Array.from({ length: rows }, (_, n) => source.good(n));
    if (source.engine === 'sqlite') {
      const path = join(directory, `source-${index}.db`);
      fillSqlite(path, source.ddl, source.table, values);
      made.push(benchSource(source, path, async () => {}));
      continue;
    }
    const database = `source_${index}`;
    await admin.query(`CREATE DATABASE ${database}`);
    const from = `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
    const client = new pg.Client({ connectionString: from });
    await client.connect();
    await fillPostgres(client, source.ddl, source.table, values);
    await client.end();
    made.push(benchSource(source, from, (query) => onDatabase(from, query)));
  }
  await admin.end();
  return made;
}

function benchSource(
  source: SourceCase,
  from: string,
  change: (query: string) => Promise<void>,
): BenchSource {
  const args = ['--preset', String(source.preset), '--from', from];
  return {
    title: source.title,
    round: async (name) => {
      if (source.preset !== 'workspace') return { args: [...args, '--workspace', name], workspaces: [name] };
      // Its rows name their workspaces themselves.
      await change(`UPDATE ${source.table} SET workspace_id = '${name}-' || right(workspace_id, 1)`);
      return { args, workspaces: [0, 1, 2].map((n) => `${name}-${n}`) };
    },
  };
}

async function onDatabase(url: string, query: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(query);
  await client.end();
}

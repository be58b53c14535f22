import { writeFile } from 'node:fs/promises';
import { describe } from '../db/doctor/describe.ts';
import { snapshotOf } from '../db/doctor/compare.ts';
import { connect } from '../db/client.ts';
import { migrate, readMigrations } from '../db/migrate.ts';
import { makeOwner } from './dev-database.ts';
import { startEndpoint } from './endpoint.ts';
import { startPglite } from './pglite-engine.ts';

/** `npm run schema:snapshot`: what the migrations make, as `daybook doctor` expects to find it. */

const engine = await startPglite();
const endpoint = await startEndpoint({ engine });
const sql = connect({
  url: await makeOwner(engine.superuser, endpoint.url.href),
  localEndpoint: endpoint.url.href,
});
await migrate(sql, await readMigrations());
const file = new URL('../db/doctor/schema-snapshot.json', import.meta.url);
await writeFile(file, `${JSON.stringify(snapshotOf(await describe(sql)), null, 2)}\n`);
await endpoint.close();
await engine.close();

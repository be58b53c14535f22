import { connectPostgres } from '../src/local/postgres-engine.ts';
import { startEndpoint } from '../src/local/endpoint.ts';

/** The endpoint in a process of its own, as Neon's proxy is; told the server's port, tells its own. */
const engine = connectPostgres({ host: '127.0.0.1', port: Number(process.argv[2]), max: 50 });
const endpoint = await startEndpoint({ engine });
process.send?.({ url: endpoint.url.href });
process.once(
  'disconnect',
  () =>
    void endpoint
      .close()
      .then(() => engine.close())
      .then(() => process.exit(0)),
);

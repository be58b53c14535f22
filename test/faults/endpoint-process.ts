import { startEndpoint } from '../../src/local/endpoint.ts';
import { connectPostgres } from '../../src/local/postgres-engine.ts';
import { randomOf } from './random.ts';
import { earlyFault, faultOf, type Named, type Weather } from './weather.ts';

/**
 * The endpoint in a process of its own, as Neon's proxy is. Arguments: the server's port, the seed of its faults.
 * A message is the weather from now on; each is answered with what was injected so far.
 */
export interface EndpointReport {
  url: string;
  /** how often, by name */
  injected: Record<string, number>;
  /** calls that came whole */
  calls: number;
}

const [port, seed] = process.argv.slice(2).map(Number);
const engine = connectPostgres({ host: '127.0.0.1', port: port ?? 0, max: 50 });
const endpoint = await startEndpoint({ engine });
const injected: Record<string, number> = {};
let weather: Weather = { kind: 'calm' };

const early = randomOf(seed ?? 0, 'heads');
const whole = randomOf(seed ?? 0, 'calls');
endpoint.interceptHead = () => counted(earlyFault(weather, early));
endpoint.intercept = () => counted(faultOf(weather, whole));

function counted<T>(drawn: Named<T> | undefined): T | undefined {
  if (drawn !== undefined) injected[drawn.name] = (injected[drawn.name] ?? 0) + 1;
  return drawn?.fault;
}

function report(): void {
  const state: EndpointReport = { url: endpoint.url.href, injected, calls: endpoint.requests };
  process.send?.(state);
}

process.on('message', (message: Weather) => {
  weather = message;
  report();
});
process.once('disconnect', async () => {
  await endpoint.close();
  await engine.close();
  process.exit(0);
});
report();

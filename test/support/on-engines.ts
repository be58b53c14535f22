import { afterAll, beforeAll, describe } from 'vitest';
import { startDatabase, type EngineName, type TestDatabase } from './database.ts';

const LABELS: Record<EngineName, string> = { pglite: 'PGlite', postgres: 'a Postgres server' };

/** Runs tests against migrated databases, one for each engine, each shared by all the tests. */
export function onEngines(
  title: string,
  engines: EngineName[],
  tests: (database: () => TestDatabase) => void,
): void {
  describe.each(engines.map((engine) => [LABELS[engine], engine] as const))(
    `${title}, on %s`,
    (_label, engine) => {
      let database: TestDatabase;
      beforeAll(async () => {
        database = await startDatabase(engine);
      });
      afterAll(() => database.close());
      tests(() => database);
    },
  );
}

/** Both engines. */
export function onBothEngines(title: string, tests: (database: () => TestDatabase) => void): void {
  onEngines(title, ['pglite', 'postgres'], tests);
}

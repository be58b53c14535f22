import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: 'test/support/template.ts',
    // A file may start a database server and workerd of its own.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Reading wrangler takes a second, and no file leaves anything behind in its modules.
    isolate: false,
    // More than two cores: some files wait for most of their time.
    maxWorkers: 3,
  },
});

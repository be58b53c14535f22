import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { connect, type Sql } from '../db/client.ts';

/** Something the user has to set or change; printed without a stack. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Where `npm run dev` leaves the owner's connection for the CLI. */
export const DEV_OWNER_ENV = '.daybook/owner.env';

export const devOption = {
  dev: { type: 'boolean', description: `Use the database of "npm run dev" (${DEV_OWNER_ENV})` },
} as const;

/** The owner's connection, from DATABASE_URL, or from the development database with `--dev`. */
export function ownerConnection(args: { dev?: boolean | undefined }): Sql {
  if (args.dev === true) {
    if (!existsSync(DEV_OWNER_ENV))
      throw new UsageError(`There is no ${DEV_OWNER_ENV}. Start "npm run dev" first.`);
    loadEnvFile(DEV_OWNER_ENV);
  }
  const url = required('DATABASE_URL', "the owner's connection, postgres://user:password@host/database");
  return connect({ url, localEndpoint: process.env['DAYBOOK_LOCAL_DATABASE'] });
}

/** @throws UsageError that names the variable and what it is */
export function required(name: string, what: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new UsageError(`Set ${name}: ${what}.`);
  return value;
}

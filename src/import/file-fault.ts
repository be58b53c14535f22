import { ImportError } from './import-error.ts';

/** Awaits what is done to a file of the import's own. @throws ImportError that says what to do where it cannot be written */
export async function writing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new ImportError(
      `${path} cannot be written (${String(error.code)}). Make room, or name another place with --rejects; then run the same command again: nothing is stored twice.`,
      { cause: error },
    );
  }
}

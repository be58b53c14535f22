import { NeonDbError } from '@neondatabase/serverless';

/** The SQLSTATE with which a statement fails, or `undefined` when it succeeds. @throws any other error */
export async function sqlstateOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof NeonDbError && error.code !== undefined) return error.code;
    throw error;
  }
}

/** The database's own error. @throws when the statement succeeds or fails otherwise */
export async function refusalOf(work: Promise<unknown>): Promise<NeonDbError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof NeonDbError) return error;
    throw error;
  }
  throw new Error('the statement was expected to fail');
}

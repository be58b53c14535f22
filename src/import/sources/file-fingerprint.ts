import { createHash } from 'node:crypto';
import { open, realpath } from 'node:fs/promises';
import { ImportError } from '../import-error.ts';

const HEAD_BYTES = 4096;

/**
 * What tells a file from another, and from what it was before it was written anew; it may grow.
 * @throws ImportError when it cannot be read
 */
export async function fileFingerprint(path: string): Promise<{ fingerprint: string; size: number }> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      // A smaller file that grows would look like another one; it is imported within one page.
      const head = Buffer.alloc(Math.min(size, HEAD_BYTES));
      await file.read(head, 0, head.length, 0);
      const digest = createHash('sha256').update(head).digest('hex');
      return { fingerprint: `${await realpath(path)} ${digest}`, size };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new ImportError(`${path} cannot be read (${String(error.code)}).`, { cause: error });
  }
}

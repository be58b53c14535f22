import { createHash } from 'node:crypto';
import { open, realpath } from 'node:fs/promises';
import { ImportError } from '../import-error.ts';

const HEAD_BYTES = 4096;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/**
 * What tells a file from another, and from what it was before it was written anew; it may grow.
 * @returns `begin`: where its text begins, after a byte order mark
 * @throws ImportError when it cannot be read, or is UTF-16
 */
export async function fileFingerprint(
  path: string,
): Promise<{ fingerprint: string; size: number; begin: number }> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      // A smaller file that grows would look like another one; it is imported within one page.
      const head = Buffer.alloc(Math.min(size, HEAD_BYTES));
      await file.read(head, 0, head.length, 0);
      const digest = createHash('sha256').update(head).digest('hex');
      if (isUtf16(head))
        throw new ImportError(
          `${path} is UTF-16. Save it as UTF-8 (iconv -f utf-16 -t utf-8) and import that.`,
        );
      const begin = head.subarray(0, 3).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
      return { fingerprint: `${await realpath(path)} ${digest}`, size, begin };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new ImportError(`${path} cannot be read (${String(error.code)}).`, { cause: error });
  }
}

/** By its byte order mark, or by the zero beside the first letter. */
function isUtf16(head: Buffer): boolean {
  return (
    head.length >= 2 &&
    (['fffe', 'feff'].includes(head.toString('hex', 0, 2)) || head.subarray(0, 2).includes(0))
  );
}

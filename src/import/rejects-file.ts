import { Buffer } from 'node:buffer';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { writing } from './file-fault.ts';
import { ImportError } from './import-error.ts';
import type { Reason } from './reason.ts';
import { rowText } from './row-text.ts';
import type { SourceRow } from './source.ts';

/** Where rows go that are not stored: NDJSON, one row on each line, readable by its owner only. */
export class RejectsFile {
  readonly path: string;
  readonly #file: FileHandle;
  /** bytes */
  #size: number;

  private constructor(path: string, file: FileHandle, size: number) {
    this.path = path;
    this.#file = file;
    this.#size = size;
  }

  /**
   * Opens the file and cuts it to what it held when the state was kept.
   * @param size bytes; 0 for a new import, which writes over the rejects of an earlier one
   * @throws ImportError when it is another file, shorter than it was or cannot be written
   */
  static async open(path: string, size: number): Promise<RejectsFile> {
    const file = await writing(path, open(path, 'a+', 0o600));
    try {
      await checkContent(path, file, size);
      await writing(path, file.chmod(0o600));
      await writing(path, file.truncate(size));
      return new RejectsFile(path, file, size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  async write(rows: readonly { row: SourceRow; reasons: readonly Reason[] }[]): Promise<void> {
    if (rows.length === 0) return;
    // One by one: rows of one page may be larger together than a text can be.
    for (const { row, reasons } of rows) {
      const line = Buffer.from(`${lineOf(row, reasons)}\n`);
      await writing(this.path, this.#file.appendFile(line));
      this.#size += line.length;
    }
    // The state that is written next counts on it.
    await writing(this.path, this.#file.datasync());
  }

  /** Closes the file; one that holds nothing goes. */
  async close(): Promise<void> {
    await this.#file.close();
    if (this.#size === 0) await rm(this.path, { force: true });
  }
}

const BEGINNING = '{"place":';
/** UTF-16 units of a row's JSON; no event is as large. */
const MAX_ROW = 1024 * 1024;

async function checkContent(path: string, file: FileHandle, size: number): Promise<void> {
  const found = await file.stat();
  if (!found.isFile()) throw new ImportError(`${path} is not a regular file. Name another with --rejects.`);
  const head = Buffer.alloc(Math.min(found.size, BEGINNING.length));
  await file.read(head, 0, head.length, 0);
  if (head.toString() !== BEGINNING.slice(0, found.size))
    throw new ImportError(`${path} is there and holds no rejects. Name another file with --rejects.`);
  if (found.size < size)
    throw new ImportError(
      `${path} is shorter than the interrupted import left it. Delete ${path}.state to begin anew.`,
    );
}

function lineOf({ place, content }: SourceRow, reasons: readonly Reason[]): string {
  const head = `${BEGINNING}${JSON.stringify(place)},"reasons":${JSON.stringify(reasons)}`;
  const text = content.ok ? rowText(content.values) : content.raw;
  if (text.length > MAX_ROW) return `${head},"raw":${JSON.stringify(text.slice(0, MAX_ROW))},"cut":true}`;
  return `${head},${content.ok ? `"row":${text}` : `"raw":${JSON.stringify(text)}`}}`;
}

import { Buffer } from 'node:buffer';
import { open, rm, type FileHandle } from 'node:fs/promises';
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
   * @throws ImportError when it is another file, or shorter than it was
   */
  static async open(path: string, size: number): Promise<RejectsFile> {
    const file = await open(path, 'a+', 0o600).catch((error: unknown) => {
      throw new ImportError(`The rejects file ${path} cannot be written: ${String(error)}.`, {
        cause: error,
      });
    });
    const { size: found } = await file.stat();
    const head = Buffer.alloc(Math.min(found, BEGINNING.length));
    await file.read(head, 0, head.length, 0);
    if (found > 0 && head.toString() !== BEGINNING.slice(0, found)) {
      await file.close();
      throw new ImportError(`${path} is there and holds no rejects. Name another file with --rejects.`);
    }
    if (found < size) {
      await file.close();
      throw new ImportError(
        `${path} is shorter than the interrupted import left it. Delete ${path}.state to begin anew.`,
      );
    }
    await file.chmod(0o600);
    await file.truncate(size);
    return new RejectsFile(path, file, size);
  }

  get size(): number {
    return this.#size;
  }

  async write(rows: readonly { row: SourceRow; reasons: readonly Reason[] }[]): Promise<void> {
    if (rows.length === 0) return;
    const text = Buffer.from(rows.map(({ row, reasons }) => `${lineOf(row, reasons)}\n`).join(''));
    await this.#file.appendFile(text);
    // The state that is written next counts on it.
    await this.#file.datasync();
    this.#size += text.length;
  }

  /** Closes the file; one that holds nothing goes. */
  async close(): Promise<void> {
    await this.#file.close();
    if (this.#size === 0) await rm(this.path, { force: true });
  }
}

const BEGINNING = '{"place":';

function lineOf({ place, content }: SourceRow, reasons: readonly Reason[]): string {
  const row = content.ok ? `"row":${rowText(content.values)}` : `"raw":${JSON.stringify(content.raw)}`;
  return `${BEGINNING}${JSON.stringify(place)},"reasons":${JSON.stringify(reasons)},${row}}`;
}

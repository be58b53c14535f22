import { hash } from 'node:crypto';
import { ImportError } from './import-error.ts';
import { reasonOf } from './reason.ts';
import { rowText } from './row-text.ts';
import type { PreparedRow } from './prepare-row.ts';
import type { Source, SourceRow } from './source.ts';
import type { State } from './state-file.ts';
import type { RowReader } from './table-rows.ts';

/**
 * The rows of a source that an interrupted import has not done; without one, all.
 * @throws ImportError when the source cannot be read, or has another row where the interrupted import stopped
 */
export async function* remainingPages(
  source: Source,
  state: State | undefined,
  read: RowReader,
): AsyncGenerator<SourceRow[]> {
  try {
    yield* state === undefined ? source.pages(undefined) : pagesAfter(source, state, read);
  } catch (error) {
    // Of the file system, SQLite or a server; anything else is a fault of ours.
    if (error instanceof ImportError || !(error instanceof Error && 'code' in error)) throw error;
    throw new ImportError(
      `The source cannot be read further: ${error.message}. Once it can, run the same command again: nothing is stored twice.`,
      { cause: error },
    );
  }
}

/** What tells the row from another at the same place. */
export function markOf({ content }: SourceRow): string {
  return hash('sha256', content.ok ? rowText(content.values) : content.raw);
}

export function prepare(read: RowReader, row: SourceRow): PreparedRow {
  const { content } = row;
  if (!content.ok) return { ok: false, reasons: content.flaws.map((flaw) => reasonOf(flaw)) };
  return read(row, content.values, Date.now());
}

async function* pagesAfter(source: Source, state: State, read: RowReader): AsyncGenerator<SourceRow[]> {
  const place = JSON.stringify(state.cursor);
  let passed = false;
  for await (const rows of source.pages(state.without_ids ? undefined : state.cursor)) {
    if (passed) {
      yield rows;
      continue;
    }
    const at = rows.findIndex(({ cursor }) => JSON.stringify(cursor) === place);
    // A row without an id is the n-th of its content: those before it have to be counted again.
    if (state.without_ids) for (const row of at === -1 ? rows : rows.slice(0, at + 1)) prepare(read, row);
    else if (at !== 0) throw changed();
    const last = rows[at];
    if (last === undefined) continue;
    if (markOf(last) !== state.mark) throw changed();
    passed = true;
    if (at + 1 < rows.length) yield rows.slice(at + 1);
  }
  if (!passed) throw changed();
}

function changed(): ImportError {
  return new ImportError(
    'The source is not as the interrupted import left it: the row at which it stopped is another one. Delete the .state file beside the rejects to begin anew: nothing is stored twice.',
  );
}

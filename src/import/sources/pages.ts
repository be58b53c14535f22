import { PAGE_ROWS, PAGE_SIZE, type SourceRow } from '../source.ts';

/** Collects rows into pages of bounded size. */
export async function* inPages(
  rows: AsyncIterable<SourceRow>,
  sizeOf: (row: SourceRow) => number,
): AsyncGenerator<SourceRow[]> {
  let page: SourceRow[] = [];
  let size = 0;
  for await (const row of rows) {
    page.push(row);
    size += sizeOf(row);
    if (page.length < PAGE_ROWS && size < PAGE_SIZE) continue;
    yield page;
    page = [];
    size = 0;
  }
  if (page.length > 0) yield page;
}

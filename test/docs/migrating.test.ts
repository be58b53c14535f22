import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readMapping } from '../../src/import/mapping.ts';
import { PRESETS, presetOf } from '../../src/import/presets/preset.ts';
import { USUAL_COLUMNS } from '../../src/import/presets/usual-columns.ts';

const page = readFileSync(new URL('../../docs/migrating.md', import.meta.url), 'utf8');

/** A preset's row in the table of docs/migrating.md. */
function rowOf(name: string): string {
  const { columns, required = [] } = readMapping(undefined, presetOf(name));
  const cells = Object.entries(columns).flatMap(([column, to]) => {
    if (!to || to.field === USUAL_COLUMNS[column]) return [];
    const bold = required.includes(column) ? '**' : '';
    return `${bold}\`${column}\`${bold} → ${to.field}`;
  });
  return `| \`${name}\` | ${cells.join(', ')} |`;
}

test.each(PRESETS)('the columns of the preset %s are told as they are', (name) => {
  expect(page).toContain(rowOf(name));
});

import { formatTime } from '../events/time.ts';
import { importedId } from './imported-id.ts';
import { rowMapper, type MappedRow } from './map-row.ts';
import type { Mapping } from './mapping.ts';
import type { Ordinals } from './ordinals.ts';
import { prepareRow, type PreparedRow } from './prepare-row.ts';
import type { ColumnOf } from './reason.ts';
import type { ResolvedColumns } from './resolve-columns.ts';
import { rowText } from './row-text.ts';
import type { Row, SourceRow } from './source.ts';

/** Makes an event of what a source has at one place. */
export type RowReader = (row: SourceRow, values: Row, now: number) => PreparedRow;

/** What a reader is told of a source. */
export interface TableContext {
  mapping: Mapping;
  resolved: ResolvedColumns;
  columnOf: ColumnOf;
  hasStablePlaces: boolean;
  ordinals: Ordinals;
  /** of rows that name none */
  workspaceId: string | undefined;
}

/** Reads rows of a table by a mapping. A row without an id is told by its content, and by its key or how often that came before. */
export function tableReader({
  mapping,
  resolved,
  columnOf,
  hasStablePlaces,
  ordinals,
  workspaceId,
}: TableContext): RowReader {
  const mapRow = rowMapper(mapping, resolved);
  return ({ place }, values, now) => {
    const { fields, createdAt, occurredAt, reasons } = mapRow(values);
    if (createdAt === undefined && reasons.length === 0) {
      const column = columnOf('/created_at');
      reasons.push({
        ...(column !== undefined && { column }),
        code: 'required',
        detail: 'This row has no time.',
      });
    }
    if (createdAt === undefined || reasons.length > 0) return { ok: false, reasons };
    const { source_id: sourceId } = fields;
    const own = (of: string) => {
      if (typeof sourceId === 'string') return [of, mapping.name, 'id', sourceId];
      const text = rowText(values);
      return [
        of,
        mapping.name,
        'row',
        text,
        hasStablePlaces ? JSON.stringify(place) : String(ordinals.next(text)),
      ];
    };
    return prepareRow(
      {
        event: eventOf(fields, occurredAt),
        workspaceId: fields['workspace_id'] ?? workspaceId,
        createdAt,
        idOf: (workspace) => importedId(createdAt, own(workspace)),
      },
      now,
      columnOf,
    );
  };
}

function eventOf(fields: MappedRow['fields'], occurredAt: number | undefined): Record<string, unknown> {
  return {
    action: fields['action'],
    // Without it, it is the time in the id.
    occurred_at: occurredAt === undefined ? undefined : formatTime(occurredAt),
    actor: {
      type: fields['actor.type'],
      id: fields['actor.id'],
      name: fields['actor.name'],
      email: fields['actor.email'],
    },
    target: { type: fields['target.type'], id: fields['target.id'], name: fields['target.name'] },
    outcome: fields['outcome'],
    reason: fields['reason'],
    old_value: fields['old_value'],
    new_value: fields['new_value'],
    context: {
      ip_address: fields['context.ip_address'],
      user_agent: fields['context.user_agent'],
      request_id: fields['context.request_id'],
      session_id: fields['context.session_id'],
    },
    metadata: fields['metadata'],
    source_id: fields['source_id'],
    version: fields['version'],
  };
}

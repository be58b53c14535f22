import { nearestName } from '../events/nearest.ts';
import { Metadata } from './gather-metadata.ts';
import type { Mapping } from './mapping.ts';
import { readAddress, readFree, readInteger, readScalar, readText, type Reading } from './read-value.ts';
import { readTime } from './read-time.ts';
import type { Reason } from './reason.ts';
import type { MappedColumn, ResolvedColumns } from './resolve-columns.ts';
import type { Row } from './source.ts';

/** What a row says, before it is an event: fields by their names, absent where there is nothing. */
export interface MappedRow {
  fields: Record<string, unknown>;
  /** ms since 1970 */
  createdAt: number | undefined;
  occurredAt: number | undefined;
  reasons: Reason[];
}

/** Reads rows by a mapping whose columns are found. */
export function rowMapper(mapping: Mapping, { mapped, others }: ResolvedColumns): (row: Row) => MappedRow {
  const defaults = Object.entries(mapping.defaults ?? {});
  return (row) => {
    const result: MappedRow = { fields: {}, createdAt: undefined, occurredAt: undefined, reasons: [] };
    const { fields, reasons } = result;
    const metadata = new Metadata();
    for (const column of mapped) {
      const value = row[column.name];
      if (value === null || value === undefined) {
        if (column.isRequired)
          reasons.push({ column: column.name, code: 'required', detail: 'This is NULL, and must not be.' });
        continue;
      }
      const reading = readColumn(column, value);
      if (!reading.ok) reasons.push(...reading.reasons);
      else if (column.field === 'metadata') metadata.addFree(column.name, reading.value);
      else if (column.field === 'created_at') result.createdAt = Number(reading.value);
      else if (column.field === 'occurred_at') result.occurredAt = Number(reading.value);
      else fields[column.field] = reading.value;
    }
    for (const { name, isJson } of others) {
      const value = row[name];
      if (value === null || value === undefined) continue;
      const reading = isJson ? readFree(name, value) : readScalar(value);
      if (reading.ok) metadata.addMember(name, reading.value);
      else reasons.push(...reading.reasons);
    }
    reasons.push(...metadata.reasons);
    if (metadata.value !== undefined) fields['metadata'] = metadata.value;
    if (fields['actor.id'] === undefined && mapping.without_actor !== undefined)
      fields['actor.type'] ??= mapping.without_actor;
    for (const [field, { by_action: byAction, otherwise }] of defaults) {
      const action = String(fields['action']);
      const byThis = byAction !== undefined && Object.hasOwn(byAction, action) ? byAction[action] : undefined;
      fields[field] ??= byThis ?? otherwise;
    }
    return result;
  };
}

function readColumn(column: MappedColumn, value: unknown): Reading {
  const { name, field, known, values } = column;
  const reading = readField(name, field, value);
  if (!reading.ok || (known === undefined && values === undefined)) return reading;
  const text = String(reading.value);
  if (known !== undefined && !known.includes(text)) return unknownValue(name, text, known);
  if (values === undefined) return reading;
  return Object.hasOwn(values, text)
    ? { ok: true, value: values[text] }
    : unknownValue(name, text, Object.keys(values));
}

function readField(column: string, field: MappedColumn['field'], value: unknown): Reading {
  switch (field) {
    case 'created_at':
    case 'occurred_at': {
      const reading = readTime(value);
      if (reading.ok) return { ok: true, value: reading.ms };
      return { ok: false, reasons: [{ column, code: reading.code, detail: reading.detail }] };
    }
    case 'metadata':
    case 'old_value':
    case 'new_value':
      return readFree(column, value);
    case 'context.ip_address':
      return readAddress(column, value);
    case 'version':
      return readInteger(column, value);
    default:
      return readText(column, value);
  }
}

function unknownValue(column: string, value: string, known: readonly string[]): Reading {
  const near = nearestName(value, known);
  const hint = near === undefined ? `Known are ${known.join(', ')}.` : `Was ${near} meant?`;
  return {
    ok: false,
    reasons: [{ column, code: 'unknown_value', detail: `This value is not in the vocabulary. ${hint}` }],
  };
}

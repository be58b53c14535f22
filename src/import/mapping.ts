import { z } from 'zod';
import { ImportError } from './import-error.ts';

/** The fields of an event that a column may become. */
export const FIELDS = [
  'source_id',
  'created_at',
  'occurred_at',
  'workspace_id',
  'action',
  'version',
  'actor.type',
  'actor.id',
  'actor.name',
  'actor.email',
  'target.type',
  'target.id',
  'target.name',
  'outcome',
  'reason',
  'old_value',
  'new_value',
  'context.ip_address',
  'context.user_agent',
  'context.request_id',
  'context.session_id',
  'metadata',
] as const;

export type Field = (typeof FIELDS)[number];

const field = z.enum(FIELDS);

/** Times that no row has would make ids of one moment; the others are no texts. */
const WITHOUT_DEFAULT = ['created_at', 'occurred_at', 'metadata', 'version'] as const;

const column = z.preprocess(
  (value) => (typeof value === 'string' ? { field: value } : value),
  z
    .strictObject({
      field,
      /** only these values are taken; the others are rejected with the nearest of them */
      known: z.array(z.string()).min(1).optional(),
      /** what each value becomes; others are rejected */
      values: z.record(z.string(), z.string()).optional(),
    })
    .nullable(),
);

const standIn = z.preprocess(
  (value) => (typeof value === 'string' ? { otherwise: value } : value),
  z.strictObject({
    /** by the event's action */
    by_action: z.record(z.string(), z.string()).optional(),
    otherwise: z.string().optional(),
  }),
);

/**
 * How the rows of a table become events. Columns are found by their names, or by these without case and underscores; what
 * no name fits is kept in the metadata.
 */
const mapping = z.strictObject({
  /** part of every id that is made: the same rows under another name would be other events */
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'Use lower-case letters, digits, - and _.'),
  /** the table is the first of these that there is, unless it is named on the command line */
  tables: z.array(z.string()).optional(),
  /** by column: a field, with more about it, or null to leave the column out */
  columns: z.record(z.string(), column),
  /** columns that must be there, and not null */
  required: z.array(z.string()).optional(),
  /** what a field is where no column gives it a value */
  defaults: z.partialRecord(field.exclude(WITHOUT_DEFAULT), standIn).optional(),
  /** the type of the actor where there is no actor.id */
  without_actor: z.enum(['anonymous', 'system']).optional(),
});

export type Mapping = z.output<typeof mapping>;

/** A mapping as it is written. */
export type MappingInput = z.input<typeof mapping>;

/**
 * Reads a mapping, or what a file adds to a preset.
 * @throws ImportError that names each place where it is wrong
 */
export function readMapping(file: unknown, preset?: MappingInput): Mapping {
  const merged = preset === undefined || !isObject(file) ? (file ?? preset) : merge(preset, file);
  const parsed = mapping.safeParse(merged);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path, message }) => `  ${path.join('.') || 'the whole'}: ${message}`,
  );
  throw new ImportError(`The mapping is not valid:\n${faults.join('\n')}\nFields are: ${FIELDS.join(', ')}.`);
}

function merge(preset: MappingInput, file: Record<string, unknown>): unknown {
  const { columns, defaults } = file;
  return {
    ...preset,
    ...file,
    columns: isObject(columns) ? { ...preset.columns, ...columns } : (columns ?? preset.columns),
    defaults: isObject(defaults) ? { ...preset.defaults, ...defaults } : (defaults ?? preset.defaults),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

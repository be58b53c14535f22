/**
 * Every reason for which an event, or the text that carries it, is refused.
 * Stable: clients match on them, and the documentation has one entry for each.
 */
export const FLAW_CODES = [
  'required',
  'unknown_field',
  'wrong_type',
  'invalid_value',
  'too_short',
  'too_long',
  'too_large',
  'too_deep',
  'invalid_ip',
  'invalid_time',
  'time_out_of_range',
  'id_version',
  'id_window',
  'nul_character',
  'lone_surrogate',
  'number_out_of_range',
  'number_precision',
  'duplicate_name',
  'unknown_action',
  'unknown_target_type',
] as const;

export type FlawCode = (typeof FLAW_CODES)[number];

/** One thing wrong with what was sent. */
export interface Flaw {
  /** Where, as an RFC 6901 JSON pointer; `""` is the whole document. */
  pointer: string;
  code: FlawCode;
  /** What to do about it, in a sentence. Holds no value that was sent: it may be personal. */
  detail: string;
}

/** Appends one reference token to a JSON pointer (RFC 6901, section 3). */
export function pointerTo(parent: string, token: string | number): string {
  if (typeof token === 'number') return `${parent}/${token}`;
  // A pointer is Unicode text; a name holding a lone surrogate is not.
  return `${parent}/${token.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

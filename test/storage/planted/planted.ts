/** Something that makes a database differ from what the migrations make, and what doctor must say of it. */
export interface Planted {
  what: string;
  /** `<events>` is the current partition of events. */
  plant: string | string[];
  /** part of a line; several: each part of some line */
  finding: string | string[];
  asSuperuser?: boolean;
}

/** An object as JSON. What cannot be written is left out alone, and not all that it stands in. */
export function written(object: object): string {
  try {
    return JSON.stringify(object);
  } catch {
    return JSON.stringify(plain([object], 0, []));
  }
}

/**
 * A member as JSON can hold it: big integers as text, and neither what contains itself nor what throws when it is looked at.
 * @param above what it stands in
 */
function plain(holder: object, name: keyof never, above: readonly unknown[]): unknown {
  try {
    let value = (holder as Record<keyof never, unknown>)[name];
    const { toJSON } = (value ?? {}) as { toJSON?: unknown };
    if (typeof toJSON === 'function') value = toJSON.call(value, name);
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value;
    if (above.includes(value)) return '[circular]';
    const inside = [...above, value];
    const names = Object.keys(value);
    const members = names.map((each) => [each, plain(value, each, inside)] as const);
    return Array.isArray(value) ? members.map(([, member]) => member) : Object.fromEntries(members);
  } catch {
    return '[unwritable]';
  }
}

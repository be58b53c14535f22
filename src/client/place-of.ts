/** Where an event is wrong, without the names that the event itself chose: this ends in a log. */
export function placeOf({ pointer, code }: { pointer: string; code: string }): string {
  // Within metadata, new_value and old_value all names are chosen.
  const chosen = code === 'unknown_field' ? /[^/]*$/ : /(?<=^\/[mno]\w*\/).*/s;
  return pointer.replace(chosen, '…') || 'the event';
}

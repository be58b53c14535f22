/** Where an event is wrong, without the names that the event itself chose: this ends in a log. */
export function placeOf({ pointer, code }: { pointer: string; code: string }): string {
  const chosen = code === 'unknown_field' ? /[^/]*$/ : /(?<=^\/(?:metadata|old_value|new_value)\/).*/s;
  return pointer.replace(chosen, '…') || 'the event';
}

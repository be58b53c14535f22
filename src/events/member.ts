/**
 * Sets an own member of a JSON object. A plain assignment to `__proto__` would replace the
 * object's prototype and lose the member.
 */
export function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[name] = value;
  }
}

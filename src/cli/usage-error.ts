/** Something the user has to set or change; printed without a stack. */
export class UsageError extends Error {
  override name = 'UsageError';
}

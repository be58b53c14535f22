/** Why an import cannot begin or go on, and what to do; printed without a stack. */
export class ImportError extends Error {
  override name = 'ImportError';
}

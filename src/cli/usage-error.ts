/** Something the user has to set or change; printed without a stack. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export const WORKSPACE_WANTED = '--workspace takes the id of one workspace: 1 to 128 characters, and not *.';

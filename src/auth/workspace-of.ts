import { isWorkspaceId } from '../events/workspace-id.ts';
import { ProblemError } from '../http/problem.ts';
import { resolveWorkspace } from './authenticate.ts';
import type { AppContext } from './context.ts';

/**
 * The workspace that a request reads or manages.
 * @param asked the one it names, if it names one
 * @throws ProblemError when the key does not cover it, or does not say which of several is meant
 */
export function workspaceOf(c: AppContext, asked: string | undefined): string {
  if (asked !== undefined && !isWorkspaceId(asked)) {
    throw new ProblemError({
      code: 'invalid_query',
      detail: 'There is no workspace with this workspace_id.',
    });
  }
  const workspace = resolveWorkspace(c.get('identity'), asked);
  if (workspace.ok) return workspace.workspaceId;
  if (workspace.reason === 'forbidden') {
    throw new ProblemError({
      code: 'workspace_forbidden',
      detail: 'The API key does not cover this workspace_id.',
    });
  }
  throw new ProblemError({
    code: 'invalid_query',
    detail: 'This key needs ?workspace_id= to say which workspace is meant.',
  });
}

import { MAX_WORKSPACE_ID_LENGTH } from './limits.ts';

/** Whether a workspace may have this id: 1 to 128 code points, none of them NUL. */
export function isWorkspaceId(text: string): boolean {
  return text !== '' && !text.includes('\0') && Array.from(text).length <= MAX_WORKSPACE_ID_LENGTH;
}

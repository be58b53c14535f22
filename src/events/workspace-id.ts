import { MAX_WORKSPACE_ID_LENGTH } from './limits.ts';

/** Whether a workspace may have this id: 1 to 128 code points, none of them NUL. `*` means every workspace, of a key. */
export function isWorkspaceId(text: string): boolean {
  return (
    text !== '' && text !== '*' && !text.includes('\0') && Array.from(text).length <= MAX_WORKSPACE_ID_LENGTH
  );
}

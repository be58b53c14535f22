/** Whether this is a checkout, with `npm run dev`, or the installed package. */
export const FROM_SOURCE = import.meta.url.endsWith('.ts');

/** How a command is typed. */
export function typed(command: string): string {
  return `${FROM_SOURCE ? 'npm run daybook --' : 'npx daybook'} ${command}`.trim();
}

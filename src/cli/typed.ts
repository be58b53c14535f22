/** Whether this is a checkout, with `npm run dev`, or the installed package. */
export const FROM_SOURCE = import.meta.url.endsWith('.ts');

/** How a command is typed. `--no-install`: where the package is not installed, npx would offer whatever has its name in the registry. */
export function typed(command: string): string {
  return `${FROM_SOURCE ? 'npm run daybook --' : 'npx --no-install daybook'} ${command}`.trim();
}

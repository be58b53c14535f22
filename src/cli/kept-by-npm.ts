/** `npm run migrate --dry-run`, without the `--`: npm takes the option, and the command would do everything. */
export function keptByNpm(...options: string[]): boolean {
  return options.some((option) => process.env[`npm_config_${option}`] === 'true');
}

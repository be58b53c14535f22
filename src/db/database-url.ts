/**
 * Whether Neon's driver can read a connection string, which it does as the address of a web page. What it cannot read it
 * throws with all its text, password and all: that has to be refused before.
 */
export function isDatabaseUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text.replace(/^postgres(ql)?:/, 'http:'));
}

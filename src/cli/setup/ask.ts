import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Asks for a secret on the terminal. What is typed is not shown. */
export async function askSecret(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // Before the question: from here on the terminal does not show what comes.
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  // Ctrl-C would only end the question.
  lines.on('SIGINT', () => process.exit(130));
  process.stderr.write(question);
  // Ctrl-D closes it without an answer; newer versions of Node reject the question too.
  const answered = lines.question('').catch(() => '');
  const answer = await Promise.race([answered, once(lines, 'close').then(() => '')]);
  lines.close();
  process.stderr.write('\n');
  return answer.trim();
}

import type { Files } from './kept.ts';
import type { WorkerNames } from './worker-names.ts';

/** s for which a queue keeps its messages: 14 days. */
const QUEUE_RETENTION = 1_209_600;

const SECRETS = ['DATABASE_URL', 'DAYBOOK_KEY_SECRET', 'DAYBOOK_OPERATOR_KEY_HASHES'];

/** What is left to be done by whoever has the Cloudflare account, to be pasted. No line holds a secret. */
export function nextSteps(
  { worker, queue: name, deadLetters }: WorkerNames,
  environment: string,
  files: Files,
): string {
  const env = environment === '' ? '--env=""' : `--env=${environment}`;
  const queue = (name: string) =>
    `npx wrangler queues create ${name} --message-retention-period-secs ${QUEUE_RETENTION}`;
  const put = (name: string) =>
    `node -p "JSON.parse(fs.readFileSync('${files.secrets}')).${name}" | npx wrangler secret put ${name} ${env}`;
  const event = JSON.stringify({
    action: 'daybook.deployed',
    actor: { type: 'user', id: 'u_1' },
    target: { type: 'deployment', id: worker },
  });
  return `
Once, logged in by "npx wrangler login" or with CLOUDFLARE_API_TOKEN set (without a paid plan, queues keep 86400 s):

  ${queue(name)}
  ${queue(deadLetters)}

Then, and whenever a secret has changed; wrangler reads the values from the file:

  npx wrangler secret bulk ${files.secrets} ${env}
  npx wrangler deploy ${env}

(One by one, the same is
${SECRETS.map((name) => `  ${put(name)}`).join('\n')}
)

wrangler prints the Worker's address. Whether all is well, the first event, and what is stored:

  DAYBOOK_URL=https://${worker}.example.workers.dev
  . ${files.keys}
  curl -s "$DAYBOOK_URL/readyz"
  curl -s "$DAYBOOK_URL/v1/events?ack=committed" -H "Authorization: Bearer $DAYBOOK_API_KEY" -H 'Content-Type: application/json' -d '${event}'
  curl -s "$DAYBOOK_URL/v1/events" -H "Authorization: Bearer $DAYBOOK_API_KEY"

Keep both files where your team keeps secrets: a later setup reads them, and no one can show the values again.
`;
}

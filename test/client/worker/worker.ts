import { waitUntil } from 'cloudflare:workers';
import { auditLogin, configureAudit, createAudit, type Audit } from '../../../src/client/index.ts';

/** A Worker that logs as its path says; what it would tell the console is of no interest here. */

interface Environment {
  DAYBOOK_URL: string;
}

const LOGIN = { action: 'login', actor: { type: 'user', id: 'u1' }, target: { type: 'session' } } as const;
const logger = { warn() {}, error() {} };
const loggers = new Map<string, Audit>();

/** Each path has a logger of its own, for the whole isolate. */
function loggerOf(path: string, { DAYBOOK_URL }: Environment): Audit {
  const options = { url: DAYBOOK_URL, apiKey: 'dbk_x', logger };
  const make = () => (path === '/bound' ? configureAudit({ ...options, waitUntil }) : createAudit(options));
  const audit = loggers.get(path) ?? make();
  loggers.set(path, audit);
  return audit;
}

export default {
  async fetch(request: Request, environment: Environment, context: { waitUntil: typeof waitUntil }) {
    const { pathname, searchParams } = new URL(request.url);
    const audit = loggerOf(pathname, environment);
    const count = Number(searchParams.get('log') ?? 0);
    const ofRequest = pathname === '/during' ? audit.during(context) : audit;
    for (let n = 0; n < count; n += 1) {
      if (pathname === '/bound') auditLogin('u1', 'acme');
      else ofRequest.log(LOGIN);
      // Other turns, as a handler that asks a database has.
      if (searchParams.has('turns')) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const flushed = searchParams.has('flush') ? await audit.flush({ timeout: 3000 }) : undefined;
    return Response.json({ flushed, ...audit.counts });
  },
};

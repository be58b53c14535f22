import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, errorAnswer } from './error-answer.ts';
import { answerSql, type SqlContext } from './answer-sql.ts';

const allowedHeaders = [
  'Authorization',
  'Neon-Connection-String',
  'Neon-Raw-Text-Output',
  'Neon-Array-Mode',
  'Neon-Pool-Opt-In',
  'Neon-Batch-Read-Only',
  'Neon-Batch-Isolation-Level',
].join(', ');

const preflight = {
  Allow: 'OPTIONS, POST',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': allowedHeaders,
  'Access-Control-Max-Age': '86400',
};

/** Answers `POST /sql` and `OPTIONS /sql`; anything else is a 400, as Neon has it. */
export async function routeRequest(
  context: SqlContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path] = (request.url ?? '').split('?', 1);
  if (path === '/sql' && request.method === 'POST') {
    await sql(context, request, response);
  } else if (path === '/sql' && request.method === 'OPTIONS') {
    response.writeHead(200, preflight).end();
  } else {
    send(response, { status: 400, body: JSON.stringify('query is not supported') });
  }
}

async function sql(context: SqlContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Aborted when the client hangs up or the endpoint closes; once the answer is out, it means nothing.
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let answer: (Answer & { headers?: Record<string, string> }) | undefined;
  try {
    answer = await answerSql(context, request, gone.signal);
  } catch (error) {
    answer = errorAnswer(error, context.limits.maxResponseBytes);
    if (answer.unexpected && !gone.signal.aborted) console.error(error);
  }
  if (answer) send(response, answer, { 'Access-Control-Allow-Origin': '*', ...answer.headers });
  else request.socket.resetAndDestroy();
}

function send(
  response: ServerResponse,
  { status, body }: Answer,
  headers: Record<string, string> = {},
): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': length, ...headers });
  response.end(body);
}

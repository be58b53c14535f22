import { Agent, request } from 'node:http';

/** One request: where it goes and what it carries. */
export interface Shot {
  path: string;
  body: Buffer;
  headers?: Record<string, string>;
}

/**
 * Sends requests over keep-alive connections, `clients` at a time, each client its next when the last was answered.
 * @returns seconds from the first byte sent to the last answer read
 * @throws when an answer has another status than expected
 */
export async function fire(
  origin: string,
  shots: readonly Shot[],
  clients: number,
  expected: number,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const queue = shots.values();
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (const shot of queue) await send(origin, shot, agent, expected);
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  agent.destroy();
  return seconds;
}

function send(origin: string, shot: Shot, agent: Agent, expected: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': shot.body.length,
      ...shot.headers,
    };
    const outgoing = request(new URL(shot.path, origin), { method: 'POST', agent, headers }, (answer) => {
      if (answer.statusCode !== expected) reject(new Error(`${shot.path} answered ${answer.statusCode}`));
      answer.on('error', reject).on('end', resolve).resume();
    });
    outgoing.on('error', reject).end(shot.body);
  });
}

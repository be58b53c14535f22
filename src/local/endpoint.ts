import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Engine } from './engine.ts';
import type { Intercept, InterceptHead } from './fault.ts';
import { routeRequest } from './route-request.ts';

export interface Endpoint {
  /** Where the driver's `fetchEndpoint` has to point. */
  url: URL;
  port: number;
  /** Requests that passed the proxy's checks so far. */
  requests: number;
  /** Statements in those requests. */
  statements: number;
  /** Milliseconds that pass before each call's statements run. */
  delayMs: number;
  /** Decides, for each request, whether and how it goes wrong. */
  intercept?: Intercept | undefined;
  /** Decides the same before the body is read; a request that it breaks off is not counted. */
  interceptHead?: InterceptHead | undefined;
  /** Frees the port and ends all connections, also those of requests that hang. The engine stays open. */
  close(): Promise<void>;
}

export interface EndpointOptions {
  engine: Engine;
  /** 0, the default, takes any free port. */
  port?: number;
  /** The default, 127.0.0.1, keeps the endpoint on this machine. */
  host?: string;
  delayMs?: number;
  /** 10 MiB unless given, as in Neon's proxy. */
  maxRequestBytes?: number;
  /** 10 MiB unless given, as in Neon's proxy. */
  maxResponseBytes?: number;
}

const neonMaxBytes = 10 * 1024 * 1024;

/** The endpoint cannot listen; `code` is the system's, such as `EADDRINUSE`. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen';
  readonly code: string | undefined;

  constructor(host: string, port: number, cause: NodeJS.ErrnoException) {
    const reason = cause.code === 'EADDRINUSE' ? 'the port is in use' : cause.message;
    super(`cannot listen on ${host}:${port}: ${reason}`, { cause });
    this.code = cause.code;
  }
}

/**
 * Serves an engine by Neon's SQL over HTTP, so that `@neondatabase/serverless` can use it.
 *
 * @throws CannotListen
 * @example
 * const endpoint = await startEndpoint({ engine });
 * neonConfig.fetchEndpoint = endpoint.url.href;
 */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const { engine, port = 0, host = '127.0.0.1', delayMs = 0 } = options;
  const { maxRequestBytes = neonMaxBytes, maxResponseBytes = neonMaxBytes } = options;
  // Idle connections are kept: a client that sends just as the server hangs up would see a false failure.
  const server = createServer({ keepAliveTimeout: 0, noDelay: true });
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  const endpoint: Endpoint = {
    url: new URL(`http://${host.includes(':') ? `[${host}]` : host}:${address.port}/sql`),
    port: address.port,
    requests: 0,
    statements: 0,
    delayMs,
    intercept: undefined,
    interceptHead: undefined,
    close: () => close(server),
  };
  const limits = { maxRequestBytes, maxResponseBytes };
  server.on(
    'request',
    (request, response) => void routeRequest({ engine, endpoint, limits }, request, response),
  );
  return endpoint;
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const listening = once(server, 'listening');
  server.listen(port, host);
  try {
    await listening;
  } catch (error) {
    throw new CannotListen(host, port, error as NodeJS.ErrnoException);
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

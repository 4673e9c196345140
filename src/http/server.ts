/**
 * The listening socket: HTTP requests to the Hono app, upgrades of /ws to the hub.
 * The upgrade is taken from Node's own event rather than through the adapter's WebSocket support: that one makes a
 * fetch Request of every upgrade first, and leaves the socket open when the app throws.
 */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { type Access, CHALLENGES } from './auth.js';
import { ApiError, errorBody } from './errors.js';
import type { LiveHub } from './live.js';

export interface ServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly app: { readonly fetch: (request: Request) => Response | Promise<Response> };
  readonly hub: LiveHub;
  readonly access: Access;
  /** Told of faults of single connections that nobody else sees. */
  readonly onError: (error: unknown, where: string) => void;
}

export interface RunningServer {
  readonly port: number;
  /** Where to open the page, e.g. `http://127.0.0.1:8080/`. */
  readonly url: string;
  /** Ends within about `timeoutMs`: clients are told to go (1001), then cut off. Safe to call twice. */
  close(timeoutMs?: number): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 10_000;
const CHECK_INTERVAL_MS = 5_000;
const MAX_CONNECTIONS = 2_000;
const CLOSE_MS = 3_000;

function listenError(error: unknown, host: string, port: number): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const because: Record<string, string> = {
    EADDRINUSE: `port ${port} is in use by another program; choose another with PORT (1 to 65535, 0 for any free one)`,
    EACCES: `port ${port} may not be opened by this user; choose one above 1023 with PORT`,
    EADDRNOTAVAIL: 'HOST is no address of this machine; use 127.0.0.1, 0.0.0.0 or one that it has',
    ENOTFOUND: 'HOST is a name that is not known; use 127.0.0.1, 0.0.0.0 or an address of this machine',
  };
  const reason = because[String(code)] ?? (error instanceof Error ? error.message : String(error));
  return new Error(`Cannot listen on ${host}:${port}: ${reason}.`, { cause: error });
}

/** Refuses an upgrade with the same error form as the API; the socket ends with it. */
function refuseUpgrade(socket: Duplex, error: ApiError): void {
  const body = JSON.stringify(errorBody(error));
  const headers = [
    'Connection: close',
    'Content-Type: application/json',
    'Cache-Control: no-store',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  if (error.status === 401)
    for (const challenge of CHALLENGES) headers.push(`WWW-Authenticate: ${challenge}`);
  // Not kept half open for a client that never closes its side.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${headers.join('\r\n')}\r\n\r\n${body}`,
  );
}

/** Why an upgrade may not happen; undefined when it may. */
function upgradeFault(request: IncomingMessage, access: Access, hub: LiveHub): ApiError | undefined {
  const path = (request.url ?? '').split('?', 1)[0];
  if (path !== '/ws' && path !== '/ws/') {
    return new ApiError(404, 'not_found', 'The WebSocket is at /ws.');
  }
  const decision = access.decide({
    need: 'read',
    host: request.headers.host,
    origin: request.headers.origin,
    authorization: request.headers.authorization,
  });
  if (!decision.allowed) return new ApiError(decision.status, decision.code, decision.message);
  if (!hub.accepting) {
    return new ApiError(
      503,
      'too_many_clients',
      'There are as many live clients as may be; try again later.',
    );
  }
  return undefined;
}

async function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void => reject(listenError(error, host, port));
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error(`Listening on ${host}:${port} gave no address but ${String(address)}.`);
  }
  return address;
}

/**
 * Listens and serves.
 * @throws Error naming host, port and what to do, when the address cannot be listened on.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, access, hub, onError } = options;
  const handle = getRequestListener((request) => options.app.fetch(request), {
    hostname: host,
    overrideGlobalObjects: false,
    // Only requests that no Request can be made of get here (a broken Host header or target); the app has its own.
    errorHandler: () => {
      const error = new ApiError(400, 'bad_request', 'The request target or its Host header is malformed.');
      return Response.json(errorBody(error), { status: 400, headers: { 'Cache-Control': 'no-store' } });
    },
  });
  let closing: Promise<void> | undefined;
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    (request, response) => {
      // server.close() ends the connections that are idle then; one whose answer was under way becomes idle later.
      response.once('close', () =>
        setImmediate(() => closing !== undefined && server.closeIdleConnections()),
      );
      handle(request, response).catch((error: unknown) => {
        onError(error, 'http: request');
        response.destroy();
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on('upgrade', (request, socket, head) => {
    // Until the hub has it the socket is nobody's: a reset in between must not end the process.
    const ignore = (error: Error): void => onError(error, 'http: upgrade');
    socket.on('error', ignore);
    const fault = upgradeFault(request, access, hub);
    if (fault !== undefined) {
      refuseUpgrade(socket, fault);
      return;
    }
    hub.handleUpgrade(request, socket, head);
    socket.off('error', ignore);
  });

  const address = await listen(server, host, options.port);
  // A fault of the listening socket itself (out of file descriptors, say) after the start.
  server.on('error', (error) => onError(error, 'http: server'));
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const shown = address.address === '0.0.0.0' ? '127.0.0.1' : address.address === '::' ? '[::1]' : name;

  const close = async (timeoutMs: number): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
    await hub.close(Math.min(timeoutMs, 1_000));
    server.closeIdleConnections();
    await closed;
    clearTimeout(timer);
  };
  return {
    port: address.port,
    url: `http://${shown}:${address.port}/`,
    close: (timeoutMs = CLOSE_MS) => {
      closing ??= close(timeoutMs);
      return closing;
    },
  };
}

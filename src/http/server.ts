/**
 * The listening socket: HTTP requests to the Hono app, upgrades of /ws to the hub.
 * The upgrade is taken from Node's own event rather than through the adapter's WebSocket support: that one makes a
 * fetch Request of every upgrade first, and leaves the socket open when the app throws.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  STATUS_CODES,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { type Access, type Caller, challengesFor, refusalError } from './auth.js';
import { accessRequest, type Wire } from './caller.js';
import { ApiError, errorBody } from './errors.js';
import { SERVER_LIMITS, type ServerLimits } from './limits.js';
import type { LiveHub } from './live.js';
import { readTls, type TlsFiles, watchTls } from './tls.js';

export interface ServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly app: { readonly fetch: (request: Request, env?: object) => Response | Promise<Response> };
  readonly hub: LiveHub;
  readonly access: Access;
  /** With these the port speaks TLS only. */
  readonly tls?: TlsFiles | undefined;
  readonly limits?: Partial<ServerLimits>;
  /** Told of faults of single connections that nobody else sees. */
  readonly onError: (error: unknown, where: string) => void;
  /** Told when another certificate is in use. */
  readonly onCertificate?: () => void;
}

export interface RunningServer {
  readonly port: number;
  /** Where to open the page, e.g. `http://127.0.0.1:8080/`. */
  readonly url: string;
  /** Ends within about `timeoutMs`: clients are told to go (1001), then cut off. Safe to call twice. */
  close(timeoutMs?: number): Promise<void>;
}

/** Connections that wait to be taken: after a restart all viewers come at once. Linux allows net.core.somaxconn at most. */
const BACKLOG = 4_096;
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
function refuseUpgrade(socket: Duplex, error: ApiError, header: HeaderOf): void {
  const body = JSON.stringify(errorBody(error));
  const headers = [
    'Connection: close',
    'Content-Type: application/json',
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  if (error.status === 401)
    for (const challenge of challengesFor(header)) headers.push(`WWW-Authenticate: ${challenge}`);
  if (error.status === 429) headers.push(`Retry-After: ${String(error.details.retry_after_seconds)}`);
  // Not kept half open for a client that never closes its side.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${headers.join('\r\n')}\r\n\r\n${body}`,
  );
}

type HeaderOf = (name: string) => string | undefined;

function headersOf({ headers }: IncomingMessage): HeaderOf {
  return (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
}

/** Who asks for an upgrade, or why it may not happen. */
function judgeUpgrade(request: IncomingMessage, access: Access, hub: LiveHub): Caller | ApiError {
  const path = (request.url ?? '').split('?', 1)[0];
  if (path !== '/ws' && path !== '/ws/') {
    return new ApiError(404, 'not_found', 'The WebSocket is at /ws.');
  }
  const wire: Wire = request.socket;
  const decision = access.decide(accessRequest('live', headersOf(request), wire, access));
  if (!decision.allowed) return refusalError(decision);
  if (!hub.accepting) {
    return new ApiError(
      503,
      'too_many_clients',
      'There are as many live clients as may be; try again later.',
    );
  }
  return decision;
}

async function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void => reject(listenError(error, host, port));
    server.once('error', failed);
    server.listen({ host, port, backlog: BACKLOG }, () => {
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

function makeServer(
  limits: ServerLimits,
  tls: TlsFiles | undefined,
  listener: RequestListener,
): Server | TlsServer {
  const options = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: limits.headerBytes,
  };
  const server = tls
    ? createTlsServer({ ...options, ...readTls(tls), handshakeTimeout: limits.headersMs }, listener)
    : createServer(options, listener);
  server.maxConnections = limits.connections;
  server.timeout = limits.idleMs;
  return server;
}

/**
 * Listens and serves.
 * @throws Error naming host, port and what to do, when the address cannot be listened on; or of the files of TLS
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, access, hub, tls, onError } = options;
  const limits = { ...SERVER_LIMITS, ...options.limits };
  const handle = getRequestListener((request, env) => options.app.fetch(request, env), {
    hostname: host,
    overrideGlobalObjects: false,
    // Only requests that no Request can be made of get here (a broken Host header or target); the app has its own.
    errorHandler: () => {
      const error = new ApiError(400, 'bad_request', 'The request target or its Host header is malformed.');
      return Response.json(errorBody(error), { status: 400, headers: { 'Cache-Control': 'no-store' } });
    },
  });
  let closing: Promise<void> | undefined;
  const server = makeServer(limits, tls, (request, response) => {
    // server.close() ends the connections that are idle then; one whose answer was under way becomes idle later.
    response.once('close', () => setImmediate(() => closing !== undefined && server.closeIdleConnections()));
    handle(request, response).catch((error: unknown) => {
      onError(error, 'http: request');
      response.destroy();
    });
  });
  server.on('upgrade', (request, socket, head) => {
    // Until the hub has it the socket is nobody's: a reset in between must not end the process.
    const ignore = (error: Error): void => onError(error, 'http: upgrade');
    socket.on('error', ignore);
    const caller = judgeUpgrade(request, access, hub);
    if (caller instanceof ApiError) {
      refuseUpgrade(socket, caller, headersOf(request));
      return;
    }
    hub.handleUpgrade(request, socket, head, caller.session);
    socket.off('error', ignore);
  });

  const address = await listen(server, host, options.port);
  // A fault of the listening socket itself (out of file descriptors, say) after the start.
  server.on('error', (error) => onError(error, 'http: server'));
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const shown = address.address === '0.0.0.0' ? '127.0.0.1' : address.address === '::' ? '[::1]' : name;

  const unwatch =
    tls &&
    watchTls({
      files: tls,
      onChange: (pair) => {
        (server as TlsServer).setSecureContext(pair);
        options.onCertificate?.();
      },
      onFault: (error) => onError(error, 'http: the new certificate'),
      lookMs: limits.certificateLookMs,
    });
  const close = async (timeoutMs: number): Promise<void> => {
    unwatch?.();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
    await hub.close(Math.min(timeoutMs, 1_000));
    server.closeIdleConnections();
    await closed;
    clearTimeout(timer);
  };
  return {
    port: address.port,
    url: `${tls ? 'https' : 'http'}://${shown}:${address.port}/`,
    close: (timeoutMs = CLOSE_MS) => {
      closing ??= close(timeoutMs);
      return closing;
    },
  };
}

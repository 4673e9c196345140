/** The server on a real socket over a hand-driven monitor, and bytes sent to it as they are. */
import { connect, type Socket } from 'node:net';
import { type AccessOptions, createAccess } from '../../src/http/auth.js';
import type { LiveLimits, ServerLimits } from '../../src/http/limits.js';
import { LiveHub } from '../../src/http/live.js';
import { createApp } from '../../src/http/routes.js';
import { type RunningServer, startServer } from '../../src/http/server.js';
import type { Page } from '../../src/http/static.js';
import type { TlsFiles } from '../../src/http/tls.js';
import { page as fixture } from './app.js';
import { HandDrivenView, row } from './view.js';

export interface Serving {
  readonly access?: AccessOptions;
  readonly limits?: Partial<ServerLimits>;
  readonly live?: Partial<LiveLimits>;
  readonly tls?: TlsFiles;
  readonly onCertificate?: () => void;
  readonly page?: Page;
}

const endings: (() => Promise<void>)[] = [];
/** Ends what a test has started; for its `afterEach`. */
export async function endServing(): Promise<void> {
  for (const end of endings.splice(0)) await end();
}

export async function serving({
  access = { host: '127.0.0.1' },
  limits,
  live,
  tls,
  onCertificate,
  page = fixture,
}: Serving = {}) {
  const view = new HandDrivenView();
  view.fold([row(), row({ status: 'failed', errorMessage: 'no answer' })]);
  view.tick();
  const failures: unknown[] = [];
  const onError = (error: unknown): void => void failures.push(error);
  const rule = createAccess(access);
  const hub = new LiveHub(view, { ...(live && { limits: live }), onError });
  const app = createApp(view, {
    ...{ access: rule, page, liveStats: () => hub.stats(), version: '0', onError },
    onSignOut: (session) => hub.endSession(session),
  });
  const server = await startServer({
    ...{ host: '127.0.0.1', port: 0, app, hub, access: rule, tls, onError },
    ...(limits && { limits }),
    ...(onCertificate && { onCertificate }),
  });
  endings.push(() => server.close(200));
  return { view, hub, server, failures };
}

/** A connection whose answer is gathered until the other side ends it. */
export function dial(server: Pick<RunningServer, 'port'>): { socket: Socket; answer: Promise<string> } {
  const socket = connect(server.port, '127.0.0.1');
  const answer = new Promise<string>((resolve) => {
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    // The server may go while we still write.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
  });
  return { socket, answer };
}

/** Sends bytes as they are and reads until the other side ends. */
export function raw(server: Pick<RunningServer, 'port'>, bytes: string | Buffer): Promise<string> {
  const { socket, answer } = dial(server);
  socket.end(bytes);
  return answer;
}

/** `HTTP/1.1 404 Not Found ...`: 404. */
export const statusOf = (answer: string): string => answer.slice(9, 12);

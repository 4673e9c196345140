import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as tcpConnect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type AccessOptions, createAccess } from '../../src/http/auth.js';
import type { LiveLimits } from '../../src/http/limits.js';
import { LiveHub } from '../../src/http/live.js';
import { createApp } from '../../src/http/routes.js';
import { errorAnswer } from '../../src/http/schemas.js';
import { type RunningServer, startServer } from '../../src/http/server.js';
import { loadPage } from '../../src/http/static.js';
import { HandDrivenView, row, START } from './view.js';

const page = await loadPage('test/http/page');
const running: RunningServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close(200);
});

interface SetUp {
  readonly access?: AccessOptions;
  readonly limits?: Partial<LiveLimits>;
  readonly port?: number;
  readonly host?: string;
}

async function start({
  access = { host: '127.0.0.1' },
  limits = {},
  port = 0,
  host = '127.0.0.1',
}: SetUp = {}) {
  const view = new HandDrivenView();
  view.tick();
  const failures: unknown[] = [];
  const onError = (error: unknown): void => {
    failures.push(error);
  };
  const rule = createAccess(access);
  const hub = new LiveHub(view, { limits, onError });
  const app = createApp(view, {
    access: rule,
    page,
    liveStats: () => hub.stats(),
    version: '1.2.3',
    onError,
    now: () => START,
  });
  const server = await startServer({ host, port, app, hub, access: rule, onError }).catch(async (error) => {
    await hub.close();
    throw error;
  });
  running.push(server);
  return { view, hub, server, failures };
}

/** What a client sees of an upgrade: the first message, or the status and body of the refusal. */
async function upgrade(
  server: RunningServer,
  path = 'ws',
  headers: Record<string, string> = {},
): Promise<string> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, { headers });
  const outcome = Promise.race([
    once(socket, 'message').then(([data]) => JSON.parse(String(data)).type as string),
    once(socket, 'unexpected-response').then(async ([, response]: IncomingMessage[]) => {
      const body = response === undefined ? '' : await text(response);
      return `${response?.statusCode} ${errorAnswer.parse(JSON.parse(body)).error.code}`;
    }),
  ]);
  const result = await outcome;
  socket.terminate();
  return result;
}

async function text(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Sends bytes as they are and reads until the other side ends. */
async function raw(server: RunningServer, bytes: string): Promise<string> {
  const socket = tcpConnect(server.port, '127.0.0.1');
  socket.end(bytes);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('the server', () => {
  it('serves the page, the API and the WebSocket on one port', async () => {
    const { server, view, failures } = await start();
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/`);
    const html = await fetch(server.url);
    expect([html.status, html.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await html.text()).toContain('<!doctype html>');
    view.fold([row()]);
    view.tick();
    const metrics = await (await fetch(`${server.url}metrics`)).text();
    expect(metrics).toContain('sync_success_total{operation_type="sync_changes"} 1');
    expect(await upgrade(server)).toBe('hello');
    expect(await upgrade(server, 'ws/?x=1')).toBe('hello');
    expect(failures).toEqual([]);
  });

  it('answers HEAD, and keeps a connection for the next request', async () => {
    const { server } = await start();
    const response = await fetch(`${server.url}livez`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('takes a body it has no use for', async () => {
    const { server } = await start();
    const response = await fetch(`${server.url}livez`, { method: 'POST', body: 'x'.repeat(500_000) });
    expect(response.status).toBe(405);
    await response.text();
    expect((await fetch(`${server.url}livez`)).status).toBe(200);
  });

  it.each([
    ['GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', '400'],
    ['GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', '403'],
    ['GET / HTTP/1.1\r\nHost: localhost@evil.example\r\nConnection: close\r\n\r\n', '400'],
    ['GET / HTTP/1.1\r\nConnection: close\r\n\r\n', '400'],
    ['GET /../../package.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', '404'],
    ['GET /..\\..\\package.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', '400'],
    ['GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', '200'],
    ['GET /livez HTTP/1.0\r\n\r\n', '200'],
    // No Host at all: no browser sends that, so no other page can be behind it.
    ['GET / HTTP/1.0\r\n\r\n', '200'],
    ['GET * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', '400'],
    ['nonsense\r\n\r\n', '400'],
    [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
  ])('answers %j with %s', async (bytes, status) => {
    const { server, failures } = await start();
    expect((await raw(server, bytes)).slice(9, 12)).toBe(status);
    expect((await fetch(`${server.url}livez`)).status).toBe(200);
    expect(failures).toEqual([]);
  });

  it('tells who else has the port', async () => {
    const { server } = await start();
    await expect(start({ port: server.port })).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${server.port}: port ${server.port} is in use by another program; choose another with PORT`,
    );
  });

  it('tells that HOST is no address of this machine', async () => {
    await expect(start({ host: '192.0.2.1' })).rejects.toThrow(
      /192\.0\.2\.1:0: HOST is no address of this machine/,
    );
  });

  it('names an address to open where it listens on all', async () => {
    const { server } = await start({ host: '0.0.0.0', access: { host: '0.0.0.0', auth: 'off' } });
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/`);
    expect((await fetch(server.url)).status).toBe(200);
  });

  it('ends with its clients told, also where one does not answer', async () => {
    const { server, hub } = await start();
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}ws`);
    await once(socket, 'message');
    const stuck = new WebSocket(`${server.url.replace('http', 'ws')}ws`);
    await once(stuck, 'message');
    stuck.pause();
    const idle = tcpConnect(server.port, '127.0.0.1');
    await once(idle, 'connect');
    const closed = once(socket, 'close');
    const ended = server.close(100);
    expect(server.close()).toBe(ended);
    expect((await closed)[0]).toBe(1001);
    await ended;
    expect(hub.accepting).toBe(false);
    await expect(fetch(server.url)).rejects.toThrow();
    stuck.terminate();
    idle.destroy();
  });

  it('waits for an answer that is under way, within its bound', async () => {
    const { server, view } = await start();
    let answer: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      view.getBusinessMetrics = () => {
        resolve();
        return new Promise((give) => {
          const { business } = view.latest()?.windows['24h'] ?? {};
          answer = () => business !== undefined && give(business);
        });
      };
    });
    const response = fetch(`${server.url}api/monitoring/business/`);
    await asked;
    // Far beyond the test's own time-out: it must end by itself.
    const ended = server.close(60_000);
    answer();
    expect((await response).status).toBe(200);
    await ended;
  });
});

describe('the upgrade', () => {
  const TOKENS: AccessOptions = { host: '0.0.0.0', authToken: 'a', viewerToken: 'v', metricsToken: 'm' };
  const basic = `Basic ${Buffer.from('me:v').toString('base64')}`;

  it.each<[string, AccessOptions | undefined, Record<string, string>, string]>([
    ['loopback', undefined, {}, 'hello'],
    ['loopback, its own page', undefined, { origin: 'http://localhost:1', host: 'localhost:1' }, 'hello'],
    ['loopback, a page of another', undefined, { origin: 'http://evil.example' }, '403 origin_not_allowed'],
    ['loopback, a name of another', undefined, { host: 'evil.example' }, '403 host_not_allowed'],
    ['tokens, none', TOKENS, {}, '401 token_missing'],
    ['tokens, wrong', TOKENS, { authorization: 'Bearer x' }, '401 token_invalid'],
    ['tokens, admin', TOKENS, { authorization: 'Bearer a' }, 'hello'],
    ['tokens, viewer by Basic', TOKENS, { authorization: basic }, 'hello'],
    ['tokens, metrics', TOKENS, { authorization: 'Bearer m' }, '403 role_not_allowed'],
    [
      'tokens, a page of another with stored password',
      TOKENS,
      { authorization: basic, origin: 'http://evil.example' },
      '403 origin_not_allowed',
    ],
  ])('%s', async (_name, access, headers, expected) => {
    const { server } = await start(access === undefined ? {} : { access });
    expect(await upgrade(server, 'ws', headers)).toBe(expected);
  });

  it('asks for the password as the page does', async () => {
    const { server } = await start({ access: TOKENS });
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
    const request = httpRequest(`${server.url}ws`, { headers });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toMatch(/Basic realm=.*Bearer realm=/);
    await text(response);
  });

  it('is on /ws only', async () => {
    const { server } = await start();
    expect(await upgrade(server, 'elsewhere')).toBe('404 not_found');
  });

  it('is refused when there are too many', async () => {
    const { server } = await start({ limits: { clients: 0 } });
    expect(await upgrade(server)).toBe('503 too_many_clients');
  });

  it('of nonsense leaves the server well', async () => {
    const { server } = await start();
    const head = 'GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ';
    expect((await raw(server, `${head}websocket\r\nSec-WebSocket-Version: 7\r\n\r\n`)).slice(9, 12)).toBe(
      '400',
    );
    expect((await raw(server, `${head}h2c\r\n\r\n`)).slice(9, 12)).toBe('400');
    expect(await upgrade(server)).toBe('hello');
  });
});

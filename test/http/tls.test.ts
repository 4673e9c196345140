/** TLS with certificates of a real openssl, exchanged while the server runs. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { Agent, get as getTls, request as requestTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { readTls } from '../../src/http/tls.js';
import { until } from '../source/collector.js';
import { dial, endServing, raw, serving } from './serving.js';

const openssl = spawnSync('openssl', ['version']).status === 0;
if (!openssl) console.log('openssl is not installed (apt-get install openssl): TLS is not tested');

const folder = mkdtempSync(join(tmpdir(), 'tls-'));
const path = (name: string) => join(folder, name);
const files = { cert: path('cert.pem'), key: path('key.pem') };

function make(name: string): void {
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ];
  const made = spawnSync('openssl', [
    ...args,
    ...['-subj', `/CN=${name}`, '-keyout', path(`${name}.key`), '-out', path(`${name}.pem`)],
  ]);
  expect(made.status).toBe(0);
}

function use(cert: string, key = cert): void {
  copyFileSync(path(`${key}.key`), files.key);
  copyFileSync(path(`${cert}.pem`), files.cert);
}

/** The answer, and the name in the certificate of a connection of its own. */
async function ask(url: string, headers: Record<string, string> = {}) {
  const agent = new Agent({ keepAlive: false, rejectUnauthorized: false });
  const request = getTls(url, { agent, headers });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const name = (response.socket as TLSSocket).getPeerCertificate().subject.CN;
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, headers: response.headers, name };
}

describe.skipIf(!openssl)('TLS', () => {
  beforeAll(() => {
    for (const name of ['first', 'second', 'other']) make(name);
  });
  afterEach(endServing);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('carries page, API and WebSocket, and nothing goes without it', async () => {
    use('first');
    const { server, failures } = await serving({ tls: files });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
    const answer = await ask(server.url);
    expect([answer.status, answer.headers['strict-transport-security']]).toEqual([200, 'max-age=31536000']);
    const socket = new WebSocket(`${server.url.replace('https', 'wss')}ws`, { rejectUnauthorized: false });
    await once(socket, 'message');
    socket.terminate();
    await expect(once(get(server.url.replace('https', 'http')), 'response')).rejects.toThrow();
    expect(await raw(server, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')).not.toContain('HTTP/1.1 200');
    expect((await ask(server.url)).status).toBe(200);
    expect(failures).toEqual([]);
  });

  it('takes another certificate while it runs, and keeps the old one where the new one is no good', async () => {
    use('first');
    let taken = 0;
    const { server, failures } = await serving({
      ...{ tls: files, limits: { certificateLookMs: 50 } },
      onCertificate: () => {
        taken += 1;
      },
    });
    expect((await ask(server.url)).name).toBe('first');
    use('second', 'other');
    await until(() => failures.length > 0, 'a pair that does not belong together is told of');
    expect(String(failures[0])).toMatch(/TLS_CERT .* and TLS_KEY .* cannot be used/);
    expect([(await ask(server.url)).name, taken]).toEqual(['first', 0]);
    use('second');
    await until(() => taken > 0, 'the new one is taken');
    expect((await ask(server.url)).name).toBe('second');
    const before = failures.length;
    rmSync(files.key);
    await until(() => failures.length > before, 'a file that is gone is told of');
    expect((await ask(server.url)).name).toBe('second');
  });

  it('cuts off a handshake that never ends', async () => {
    use('first');
    const { server } = await serving({ tls: files, limits: { headersMs: 200 } });
    const { socket, answer } = dial(server);
    socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
    await answer;
    expect((await ask(server.url)).status).toBe(200);
  });

  it('makes the cookie of a session one that only TLS carries', async () => {
    use('first');
    const { server } = await serving({ tls: files, access: { host: '0.0.0.0', authToken: 'a' } });
    const origin = server.url.slice(0, -1);
    const body = 'token=a';
    const response = await new Promise<IncomingMessage>((resolve) => {
      const options = {
        ...{ method: 'POST', rejectUnauthorized: false },
        headers: { origin, 'content-length': String(body.length) },
      };
      requestTls(`${server.url}sign-in`, options, resolve).end(body);
    });
    response.resume();
    expect(response.statusCode).toBe(303);
    const [cookie = ''] = response.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^__Host-sync_monitor=admin\..*; HttpOnly; SameSite=Strict; Secure$/);
    const signedIn = { cookie: cookie.split(';', 1)[0] ?? '' };
    expect((await ask(server.url, signedIn)).status).toBe(200);
    const live = (headers: Record<string, string>) =>
      new WebSocket(`${server.url.replace('https', 'wss')}ws`, { rejectUnauthorized: false, headers });
    const socket = live({ ...signedIn, origin });
    await once(socket, 'message');
    for (const headers of [signedIn, { ...signedIn, origin: 'https://evil.example' }]) {
      const [, refused] = (await once(live(headers), 'unexpected-response')) as [unknown, IncomingMessage];
      expect(refused.statusCode).toBe(403);
    }
    // Signing out ends what the session had open.
    const closed = once(socket, 'close');
    const out = requestTls(`${server.url}sign-out`, {
      ...{ method: 'POST', rejectUnauthorized: false },
      headers: { ...signedIn, origin },
    });
    out.end();
    const [left] = (await once(out, 'response')) as [IncomingMessage];
    expect(left.statusCode).toBe(303);
    left.resume();
    expect((await closed)[0]).toBe(1008);
    expect((await ask(server.url, signedIn)).status).toBe(401);
  });

  it.each([
    ['a file that is not there', 'none.pem', 'first.key', /^TLS_CERT cannot be read: ENOENT/],
    ['a file that is no PEM', 'text', 'first.key', /TLS_CERT .*text.* cannot be used/],
    ['a key of another', 'first.pem', 'other.key', /belong together/],
  ])('refuses to start with %s', (_name, cert, key, words) => {
    writeFileSync(path('text'), 'no PEM');
    expect(() => readTls({ cert: path(cert), key: path(key) })).toThrow(words);
  });
});

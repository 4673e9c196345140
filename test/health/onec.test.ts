/** The check of 1C against servers in all moods. */
import { spawnSync } from 'node:child_process';
import type { lookup as systemLookup } from 'node:dns';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Asking } from '../../src/health/asking.js';
import { onecCheck } from '../../src/health/onec.js';
import { freePort } from '../../src/source/embedded-process.js';
import { until } from '../source/collector.js';
import { httpStandIn, type StandIn, tcpStandIn, tlsStandIn } from './stand-in.js';

const OPENSSL = spawnSync('openssl', ['version']).status === 0;
if (!OPENSSL) console.log('openssl is not installed (apt-get install openssl): 1C with TLS is not tested');

const NEVER = new AbortController().signal;
let server: StandIn | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** @param timeoutMs ample where an answer is expected, short where none is */
const ask = (url: string, timeoutMs = 20_000) => new Asking(onecCheck(url), timeoutMs).ask(NEVER);

describe('1C', () => {
  it.each([200, 201, 204, 299])('is up with %i', async (status) => {
    server = await httpStandIn((_, response) => void response.writeHead(status).end());
    const asked = await ask(server.url);
    expect(asked).toMatchObject({ available: true, details: { status_code: status } });
    expect(asked.message).toMatch(new RegExp(`^answers ${status}`));
    expect(asked.responseTimeMs).toBeGreaterThan(0);
    expect(server.connections.made).toBe(1);
  });

  it('is asked as the address says, with its password, which nobody is told', async () => {
    server = await httpStandIn((_, response) => void response.writeHead(503).end());
    const asked = await ask(server.url.replace('//', '//monitor:s3cret@').concat('hs/ping?token=t0ken'));
    expect(server.requests).toEqual(
      Array(2).fill({
        method: 'GET',
        url: '/hs/ping?token=t0ken',
        authorization: `Basic ${Buffer.from('monitor:s3cret').toString('base64')}`,
      }),
    );
    expect(JSON.stringify(asked)).not.toMatch(/s3cret|t0ken/);
  });

  it('is up though it is slow, and though its body never ends', async () => {
    server = await httpStandIn((_, response) => {
      setTimeout(() => response.writeHead(200).write('...'), 1_000);
    });
    const asked = await ask(server.url);
    expect(asked.available).toBe(true);
    expect(asked.responseTimeMs).toBeGreaterThan(900);
    const { connections } = server;
    await until(() => connections.open === 0, 'nothing stays open');
    expect(connections.made).toBe(1);
  });

  it.each([
    [404, 'answers 404 Not Found, which is no success'],
    [500, 'answers 500 Internal Server Error, which is no success'],
    [503, 'answers 503 Service Unavailable, which is no success'],
  ])('is down with %i, asked twice', async (status, message) => {
    server = await httpStandIn((_, response) => void response.writeHead(status).end('x'.repeat(100_000)));
    expect(await ask(server.url)).toEqual({
      ...{ available: false, message, details: { status_code: status }, responseTimeMs: null },
    });
    expect(server.requests).toHaveLength(2);
  });

  it('is up where the second attempt is answered well', async () => {
    let asked = 0;
    server = await httpStandIn((_, response) => void response.writeHead(++asked === 1 ? 502 : 200).end());
    expect(await ask(server.url)).toMatchObject({ available: true });
    expect(asked).toBe(2);
  });

  it.each([
    ['/login?next=secret', /^answers 302 Found: redirects to another path, which is not followed$/],
    ['https://elsewhere.example/a?b=secret', /redirects to https:\/\/elsewhere\.example, which is not/],
    ['http://[', /^answers 302 Found: redirects, which is not followed$/],
  ])('is down where it redirects to %s', async (location, message) => {
    server = await httpStandIn((_, response) => void response.writeHead(302, { location }).end());
    const asked = await ask(server.url);
    expect(asked).toMatchObject({ available: false, message: expect.stringMatching(message) });
    expect(server.requests.map(({ url }) => url)).toEqual(['/', '/']);
  });

  it.each([
    ['never answers', () => undefined],
    [
      'never ends its headers',
      (socket: { write(text: string): unknown }) => void socket.write('HTTP/1.1 200 OK\r\nX'),
    ],
  ])('is down where it %s, and nothing piles up', async (_, connected) => {
    server = await tcpStandIn(connected);
    const { connections } = server;
    const asking = new Asking(onecCheck(server.url), 300);
    for (let i = 0; i < 4; i++)
      expect(await asking.ask(NEVER)).toMatchObject({ available: false, message: 'no answer within 0.3 s' });
    await until(() => connections.open === 0, 'every request is ended');
    // The server may hear of the end of one after the beginning of the next.
    expect(connections.made).toBeGreaterThanOrEqual(4);
    expect(connections.made).toBeLessThanOrEqual(8);
    expect(connections.most).toBeLessThanOrEqual(2);
  });

  it.each([
    ['resets', (socket: { resetAndDestroy(): unknown }) => void socket.resetAndDestroy(), /ECONNRESET/],
    ['closes at once', (socket: { end(): unknown }) => void socket.end(), /socket hang up|without an answer/],
    [
      'speaks nonsense',
      (socket: { end(text: string): unknown }) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
      /^does not speak HTTP/,
    ],
  ])('is down where it %s', async (_, connected, message) => {
    server = await tcpStandIn(connected as never);
    const asked = await ask(server.url);
    expect(asked).toMatchObject({ available: false, message: expect.stringMatching(message) });
    expect(server.connections.made).toBe(2);
  });

  it('is down where nothing listens', async () => {
    const asked = await ask(`http://127.0.0.1:${await freePort()}/`);
    expect(asked.message).toMatch(/^refuses the connection: .*ECONNREFUSED/);
  });

  it('is down where its name is not known', async () => {
    const asked = await ask('http://onec.invalid/');
    expect(asked).toMatchObject({ available: false, responseTimeMs: null });
    expect(asked.message).toMatch(/^its name cannot be resolved: .*(ENOTFOUND|EAI_AGAIN)/);
  });

  it('is looked up once while the name server hangs', async () => {
    let lookups = 0;
    const hanging = (() => {
      lookups += 1;
    }) as unknown as typeof systemLookup;
    const asking = new Asking(onecCheck('http://onec.example/', hanging), 200);
    for (let i = 0; i < 3; i++) expect((await asking.ask(NEVER)).message).toBe('no answer within 0.2 s');
    expect(lookups).toBe(1);
  });

  it('is left at once when the monitor stops', async () => {
    server = await tcpStandIn(() => undefined);
    const { connections } = server;
    const stop = new AbortController();
    const asked = new Asking(onecCheck(server.url), 60_000).ask(stop.signal);
    await until(() => connections.open === 1, 'it is asked');
    stop.abort();
    expect((await asked).message).toBe('the monitor is stopping');
    await until(() => connections.open === 0, 'the request is ended');
    expect(connections.made).toBe(1);
  });
});

describe.runIf(OPENSSL)('1C with TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'csm-tls-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is down where nobody trusts its certificate', async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ]);
    expect(made.status).toBe(0);
    server = await tlsStandIn(key, cert, (_, response) => void response.writeHead(200).end());
    const asked = await ask(server.url);
    expect(asked).toMatchObject({ available: false });
    expect(asked.message).toMatch(/^its certificate is not to be trusted: .*SELF_SIGNED/);
  });
});

it('1C is down where TLS is asked of a server without', async () => {
  server = await httpStandIn((_, response) => void response.writeHead(200).end());
  const asked = await ask(server.url.replace('http:', 'https:'));
  expect(asked.message).toMatch(/^does not speak TLS: /);
});

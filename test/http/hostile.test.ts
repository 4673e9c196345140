/** Those who mean harm, on raw sockets: slow, endless, compressed, climbing out of the directory. */
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { dial, endServing, raw, serving, statusOf } from './serving.js';

afterEach(endServing);

type Server = Awaited<ReturnType<typeof serving>>;

/** Whatever came before: it answers, and nothing failed inside. */
async function isWell({ server, failures }: Server): Promise<void> {
  expect((await fetch(`${server.url}livez`)).status).toBe(200);
  expect(failures).toEqual([]);
}

/** Waits until there is room for one more connection. */
async function answered({ server }: Server): Promise<void> {
  const ask = () => fetch(`${server.url}livez`).then((response) => response.ok);
  while (!(await ask().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 20));
}

const SHORT = { headersMs: 300, requestMs: 400, checkMs: 50 };
const HEAD = 'Host: localhost\r\n';

describe('slow clients are cut off', () => {
  it.each([
    ['that say nothing', '', ''],
    ['whose headers never end', `GET / HTTP/1.1\r\n${HEAD}`, 'X-Slow: 1\r\n'],
    ['whose header never ends', `GET / HTTP/1.1\r\n${HEAD}X-Slow: `, 'a'],
    ['whose request line never ends', 'GET /', 'a'],
    ['whose body never ends', `POST /sign-in HTTP/1.1\r\n${HEAD}Content-Length: 10000\r\n\r\ntoken=`, 'a'],
    [
      'whose chunks never end',
      `POST /sign-in HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n`,
      '1\r\na\r\n',
    ],
    ['whose upgrade never ends', `GET /ws HTTP/1.1\r\n${HEAD}Upgrade: websocket\r\n`, 'X: 1\r\n'],
  ])('%s', async (_name, start, drip) => {
    const served = await serving({ limits: SHORT, access: { host: '0.0.0.0', authToken: 'a' } });
    const { socket, answer } = dial(served.server);
    socket.write(start);
    const dripping = setInterval(() => socket.write(drip), 40);
    const said = await answer;
    clearInterval(dripping);
    expect(['', '408']).toContain(statusOf(said));
    await isWell(served);
  });

  it('while the others are answered', async () => {
    const served = await serving();
    const slow = Array.from({ length: 300 }, () => dial(served.server));
    for (const { socket } of slow) socket.write(`GET / HTTP/1.1\r\n${HEAD}`);
    await isWell(served);
    for (const { socket } of slow) socket.destroy();
  });

  it('that do not read what they asked for', async () => {
    const served = await serving({ limits: { idleMs: 300, connections: 1 } });
    const { socket, answer } = dial(served.server);
    socket.pause();
    // More than the buffers of both sides hold.
    socket.write(`GET /openapi.json HTTP/1.1\r\n${HEAD}\r\n`.repeat(200));
    await once(socket, 'connect');
    // Its place, the only one, is free again.
    await answered(served);
    socket.resume();
    const answers = (await answer).split('HTTP/1.1 200 OK').length - 1;
    expect(answers).toBeGreaterThan(0);
    expect(answers).toBeLessThan(200);
  });

  it('by number: one connection too many is refused, and its place is free again later', async () => {
    const served = await serving({ limits: { connections: 3 } });
    const held = Array.from({ length: 3 }, () => dial(served.server));
    await Promise.all(held.map(({ socket }) => once(socket, 'connect')));
    expect(await dial(served.server).answer).toBe('');
    for (const { socket, answer } of held) {
      socket.destroy();
      await answer;
    }
    await answered(served);
  });
});

describe('headers', () => {
  it.each([
    ['one of a megabyte', `X: ${'x'.repeat(1 << 20)}\r\n`],
    ['a hundred thousand', Array.from({ length: 100_000 }, (_, i) => `X-${i}: ${i}\r\n`).join('')],
    ['a cookie of a megabyte', `Cookie: ${'sync_monitor=a; '.repeat(1 << 16)}\r\n`],
  ])('in masses are refused: %s', async (_name, headers) => {
    const served = await serving();
    const said = await raw(served.server, `GET / HTTP/1.1\r\n${HEAD}${headers}\r\n`);
    expect(['', '431']).toContain(statusOf(said));
    await isWell(served);
  });

  it.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x'],
    ['chunks that are none', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'],
    [
      'a chunk with endless extensions',
      `Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(1 << 17)}\r\na\r\n0\r\n\r\n`,
    ],
    ['a line end within', 'X: a\rb\r\n\r\n'],
    ['a zero byte', 'X: a\0b\r\n\r\n'],
    ['a space before the colon', 'X : a\r\n\r\n'],
    ['folded', 'X: a\r\n b\r\n\r\n'],
  ])('that two readers could read in two ways are refused: %s', async (_name, rest) => {
    const served = await serving();
    const said = await raw(served.server, `POST /sign-in HTTP/1.1\r\n${HEAD}${rest}`);
    expect([statusOf(said).slice(0, 1), said.split('HTTP/1.1 ').length - 1]).toEqual(['4', 1]);
    await isWell(served);
  });
});

describe('compressed', () => {
  const bomb = gzipSync(Buffer.alloc(50 << 20));
  it.each(['/api/silences/', '/api/alerts/x/ack', '/sign-in'])(
    'bodies are not unpacked: %s',
    async (path) => {
      const served = await serving({ access: { host: '0.0.0.0', authToken: 'a' } });
      const response = await fetch(new URL(path, served.server.url), {
        method: 'POST',
        headers: { authorization: 'Bearer a', 'content-encoding': 'gzip' },
        body: bomb,
      });
      // Where there are no alerts nothing is read at all.
      expect([404, 415]).toContain(response.status);
      if (path === '/sign-in') expect(await response.text()).toContain('encoding_not_supported');
      await isWell(served);
    },
  );

  it('messages are not agreed upon, and one that comes nevertheless ends the connection', async () => {
    const served = await serving();
    const socket = new WebSocket(`${served.server.url.replace('http', 'ws')}ws`, { perMessageDeflate: true });
    await once(socket, 'message');
    expect(socket.extensions).toBe('');
    const closed = once(socket, 'close');
    const { _socket: tcp } = socket as unknown as { readonly _socket: { write(bytes: Buffer): void } };
    // FIN, RSV1 (compressed), text; masked with zeros.
    tcp.write(Buffer.concat([Buffer.from([0xc1, 0x80 | 5, 0, 0, 0, 0]), Buffer.from('hello')]));
    expect((await closed)[0]).toBe(1002);
    await isWell(served);
  });
});

describe('frames', () => {
  const ZERO_MASK = Buffer.alloc(4);
  const frames: readonly (readonly [string, number, (send: (bytes: Buffer) => void) => void])[] = [
    [
      'that claim 2^62 bytes',
      1009,
      (send) => send(Buffer.from([0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
    ],
    [
      'in endless pieces',
      1009,
      (send) => {
        const piece = Buffer.concat([
          Buffer.from([0, 0x80 | 126, 0xff, 0xff]),
          ZERO_MASK,
          Buffer.alloc(0xffff),
        ]);
        send(Buffer.from([0x01, 0x80, 0, 0, 0, 0]));
        for (let i = 0; i < 10; i++) send(piece);
      },
    ],
    ['without a mask', 1002, (send) => send(Buffer.from([0x81, 2, 0x7b, 0x7d]))],
    [
      'that are no UTF-8',
      1007,
      (send) => send(Buffer.concat([Buffer.from([0x81, 0x82]), ZERO_MASK, Buffer.from([0xc3, 0x28])])),
    ],
    [
      'of a long ping',
      1002,
      (send) => send(Buffer.concat([Buffer.from([0x89, 0x80 | 126, 1, 0]), ZERO_MASK, Buffer.alloc(256)])),
    ],
  ];
  it.each(frames)('%s end the connection with %i', async (_name, code, attack) => {
    const served = await serving();
    const socket = new WebSocket(`${served.server.url.replace('http', 'ws')}ws`);
    await once(socket, 'message');
    const closed = once(socket, 'close');
    const { _socket: tcp } = socket as unknown as { readonly _socket: { write(bytes: Buffer): void } };
    attack((bytes) => tcp.write(bytes));
    expect((await closed)[0]).toBe(code);
    await isWell(served);
  });

  it('in masses are not read', async () => {
    const served = await serving();
    const socket = new WebSocket(`${served.server.url.replace('http', 'ws')}ws`);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    const subscribe = JSON.stringify({ type: 'subscribe', topics: ['snapshot', 'health'] });
    for (let i = 0; i < 1_000; i++) socket.send(subscribe);
    expect((await closed)[0]).toBe(1008);
    await isWell(served);
  });
});

describe('paths', () => {
  it.each([
    '/../package.json',
    '/../../../../etc/passwd',
    '/assets/../../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/%252e%252e/package.json',
    '/..%c0%af..%c0%afetc/passwd',
    '/..\\..\\package.json',
    '/%5c..%5cpackage.json',
    '//etc/passwd',
    '///../package.json',
    '/./././package.json',
    '/index.html%00.png',
    '/assets/index-0a1b2c3d.js/../../../../package.json',
    '/.env',
    '/.git/config',
    '/~root/.ssh/id_rsa',
    '/;/../package.json',
    '/C:/Windows/win.ini',
    '/proc/self/environ',
    'file:///etc/passwd',
    '/%',
    '/%zz',
    `/${'../'.repeat(2_000)}etc/passwd`,
    `/${'a'.repeat(15_000)}`,
  ])('lead nowhere: %.60s', async (path) => {
    const served = await serving();
    const said = await raw(served.server, `GET ${path} HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`);
    expect(['400', '403', '404']).toContain(statusOf(said));
    expect(said).not.toMatch(/root:|"version"|DATABASE_URL/);
    await isWell(served);
  });
});

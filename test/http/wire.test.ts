import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { textFrame } from '../../src/http/wire.js';

/** Of the lengths at which a header changes its form; in bytes, not in letters. */
const TEXTS = [
  ...[0, 1, 125, 126, 127, 65_535, 65_536, 200_000].map((length) => 'x'.repeat(length)),
  ...['я'.repeat(62), 'я'.repeat(63), 'я'.repeat(32_767), 'я'.repeat(32_768), '{"name":"Иванов 😀"}'],
];

it('is read by a client as the very text, among frames that ws itself wrote', async () => {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const server = createServer();
  server.on('upgrade', (request, stream, head) =>
    sockets.handleUpgrade(request, stream, head, (socket) => {
      for (const text of TEXTS) {
        stream.write(textFrame(text));
        socket.send(`then ${text.length}`);
        socket.ping();
      }
      socket.close(1000);
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const read: string[] = [];
  client.on('message', (data, isBinary) => read.push(isBinary ? 'binary' : String(data)));
  expect((await once(client, 'close'))[0]).toBe(1000);
  expect(read).toEqual(TEXTS.flatMap((text) => [text, `then ${text.length}`]));
  server.close();
});

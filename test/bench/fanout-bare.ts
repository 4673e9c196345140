/**
 * The least that a broadcast can be: `ws`, one `send` for each client. A process of its own that is sent what to send,
 * and sends it again at the same moments.
 */
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Measured } from './fanout-clients.js';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 });
const snapshots = new Set<WebSocket>();
const events = new Set<WebSocket>();
let record: readonly { readonly atMs: number; readonly frame: Buffer; readonly to: Set<WebSocket> }[] = [];

server.on('connection', (socket) => {
  socket.on('error', () => undefined);
  socket.on('close', () => {
    snapshots.delete(socket);
    events.delete(socket);
  });
  socket.on('message', (data) => {
    snapshots.add(socket);
    if (String(data).includes('events')) events.add(socket);
    const first = record.find(({ to }) => to === snapshots);
    if (first) socket.send(first.frame, { binary: false });
  });
});

function play(): void {
  const began = performance.now();
  const start = record[0]?.atMs ?? 0;
  let next = 0;
  const step = (): void => {
    for (let one = record[next]; one !== undefined; one = record[next]) {
      const wait = one.atMs - start - (performance.now() - began);
      if (wait > 0) {
        setTimeout(step, wait);
        return;
      }
      next += 1;
      for (const socket of one.to) socket.send(one.frame, { binary: false });
    }
  };
  step();
}

process.on('message', (order: Measured['record'] | 'play') => {
  if (order === 'play') play();
  else {
    record = order
      .filter(({ text }) => /^\{"type":"(snapshot|events)"/.test(text))
      .map(({ atMs, text }) => ({
        ...{ atMs, frame: Buffer.from(text) },
        to: text.startsWith('{"type":"events"') ? events : snapshots,
      }));
    process.send?.((server.address() as AddressInfo).port);
  }
});
process.on('disconnect', () => process.exit());

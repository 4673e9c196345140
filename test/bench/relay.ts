/** The least possible relay: what NOTIFY brings goes to every WebSocket as it is. A process of its own. */
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { WebSocketServer } from 'ws';

const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
const relay = process.env.RELAY === '1';
client.on('notification', ({ payload }) => {
  if (!relay || payload === undefined) return;
  for (const socket of server.clients) socket.send(payload);
});
await client.query('LISTEN usual');
process.on('SIGTERM', () => {
  server.close();
  for (const socket of server.clients) socket.terminate();
  void client.end();
});
console.log(`listening 127.0.0.1:${(server.address() as AddressInfo).port}`);

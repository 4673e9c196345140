import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect as dial, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { freshDatabase } from '../setup/database.js';
import { byLength } from './length.js';
import { connect, insertInto, until } from './scene.js';
import { startServed } from './served.js';

const TABLE = 'customer_sync_logs';

/** The other side may close it at once. */
function dialled(address: string): Socket {
  const socket = dial(Number(new URL(address).port), '127.0.0.1');
  return socket.on('error', () => undefined);
}

test.skipIf(process.platform !== 'linux')(
  'file descriptors run out, connections to the database with them: that is said, viewers stay, and it goes on when there are some again',
  async () => {
    const db = await freshDatabase(18);
    const portal = await connect(db.url);
    const served = await startServed(db.url, { HEALTH_CHECK_INTERVAL: '1' });
    // Connected before: what is asked over it needs no descriptor.
    const agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: 60_000 });
    const ask = (path: string): Promise<{ status: number; body: string }> =>
      new Promise((resolve, reject) => {
        get(new URL(path, served.address), { agent }, (response) => {
          let body = '';
          response.on('data', (data: Buffer) => {
            body += data.toString();
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        }).on('error', reject);
      });
    /** An unused connection would be closed, and there would be none to ask over. */
    const said = (what: RegExp, since: () => string) => async () => {
      await ask('/livez');
      return what.test(since());
    };
    const realtime = async () => JSON.parse((await ask('/api/monitoring/realtime/')).body);
    const viewer = new WebSocket(new URL('/ws', served.address));
    const seen = { total: -1, closed: false };
    viewer.on('close', () => {
      seen.closed = true;
    });
    viewer.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'snapshot') seen.total = message.windows['24h'].total_operations;
    });
    try {
      await until(async () => (await realtime()).completeness?.state === 'complete', 'complete');
      if (viewer.readyState !== WebSocket.OPEN) await once(viewer, 'open');
      viewer.send(JSON.stringify({ type: 'subscribe', topics: ['snapshot'] }));
      let rows = 0;
      for (let round = 0; round < byLength(1, 5); round++) {
        await insertInto(portal, TABLE, 5);
        rows += 5;
        await until(() => seen.total === rows, 'shown');
        const lines = served.log.length;
        const since = () => served.log.slice(lines).join('\n');
        served.limitDescriptors(served.descriptors() + 2);
        const crowd: Socket[] = [];
        const crowded = said(/"descriptors".*are in use/, since);
        await until(async () => {
          // More and more: what was open for a moment when it was counted has been closed since.
          for (let n = 0; n < 5; n++) crowd.push(dialled(served.address));
          return crowded();
        }, 'that they have run out, said');
        // Its connections end, and for the crowd there are none to make new ones with.
        served.limitDescriptors(10);
        await portal.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'customer-sync-monitor%' AND datname = current_database()`,
        );
        await until(said(/nothing can be read.*EMFILE/, since), 'that nothing can be read, said');
        await insertInto(portal, TABLE, 5);
        rows += 5;
        expect((await ask('/livez')).status).toBe(200);
        await until(
          async () => (await realtime()).completeness.state !== 'complete',
          'that it is not complete',
        );
        for (const socket of crowd) socket.destroy();
        served.limitDescriptors(4_096);
        await until(() => seen.total === rows, 'the rows of meanwhile, shown');
        await until(async () => (await realtime()).completeness.state === 'complete', 'complete again');
        await until(said(/there are file descriptors again/, since), 'that it is over, said');
        expect(seen.closed).toBe(false);
        expect((await fetch(new URL('/readyz', served.address))).status).toBe(200);
      }
    } finally {
      viewer.terminate();
      agent.destroy();
      await served.stop();
      await portal.end();
      await db.drop();
    }
  },
  byLength(120_000, 300_000),
);

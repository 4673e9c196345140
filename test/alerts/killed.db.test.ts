/** The program killed between decision and delivery: the notice is sent by the next one, under the same id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM } from '../setup/build.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { hang, type Receiver, SECRET, say, startReceiver, verify } from './receiver.js';

let db: TestDatabase;
let receiver: Receiver;
let folder: string;
let children: { child: ChildProcess; exit: Promise<unknown> }[];
let output: string;

beforeEach(async () => {
  db = await freshDatabase();
  receiver = await startReceiver();
  folder = await mkdtemp(join(tmpdir(), 'csm-killed-'));
  children = [];
  output = '';
});
afterEach(async () => {
  for (const { child, exit } of children) {
    child.kill('SIGKILL');
    await exit;
  }
  await receiver.close();
  await db.drop();
  await rm(folder, { recursive: true });
});

async function serve(): Promise<{ kill(): Promise<void> }> {
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: db.url,
      WEBHOOK_ALERT_URL: receiver.url,
      WEBHOOK_SECRET: SECRET,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'close');
  children.push({ child, exit });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      said += part.toString();
      output += part.toString();
    });
  await until(() => /open http:\S+/i.test(said), 'the program to serve');
  return {
    async kill() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

test('a notice of a killed monitor is sent by the next one, under the same id and signed anew', async () => {
  receiver.answer = hang;
  const first = await serve();
  await ask(
    db.url,
    `INSERT INTO customer_sync_logs (operation_type, status, customer_email, details, error_message)
     SELECT 'batch_operation', 'failed', 'ivan.petrov@example.org', '{}', 'for ivan.petrov@example.org, +7 916 123-45-67'
     FROM generate_series(1, 3)`,
  );
  const rules = (from = 0) => receiver.received.slice(from).map(({ body }) => JSON.parse(body).rule);
  await until(() => rules().includes('batch_failure'), 'the first attempt');
  const [id] = receiver.ids();
  await first.kill();
  const attempts = receiver.received.length;
  receiver.answer = say(200);
  await serve();
  await until(() => rules(attempts).includes('batch_failure'), 'the attempt of the second monitor');
  expect(receiver.ids().slice(attempts)).toContain(id);
  expect(new Set(receiver.ids()).size).toBe(1);
  for (const one of receiver.received) verify(one);
  await until(async () => {
    const rows = await ask(db.url, `SELECT DISTINCT outcome FROM sync_monitor.outbox`);
    return rows.length === 1 && rows[0]?.outcome === 'delivered';
  }, 'the delivery to be written down');
  expect(JSON.stringify(receiver.received) + output).not.toMatch(/petrov|916.?123/);
});

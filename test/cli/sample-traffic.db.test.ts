import { expect, it } from 'vitest';
import { run } from '../../src/main.js';
import { freshDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { until } from '../source/collector.js';

async function traffic(url: string, signal: AbortSignal) {
  const said: string[] = [];
  const code = await run(['traffic', '--rate', '200', '--seed', '7'], {
    ...{ print: (line) => void said.push(line), note: (line) => void said.push(line) },
    ...{ signal, colours: false, env: { DATABASE_URL: url }, folder: '/nonexistent' },
  });
  return { code, said: said.join('\n') };
}

const rowsOf = async (url: string) =>
  Number((await ask(url, 'SELECT count(*) FROM customer_sync_logs'))[0]?.count);

it('writes a past and traffic into an empty table, and goes on after a restart', async () => {
  const db = await freshDatabase();
  try {
    for (let start = 0; start < 2; start++) {
      const ending = new AbortController();
      const before = await rowsOf(db.url);
      const running = traffic(db.url, ending.signal);
      await until(async () => (await rowsOf(db.url)) > Math.max(before, 6_000) + 100, 'traffic comes');
      ending.abort();
      expect((await running).code).toBe(0);
    }
  } finally {
    await db.drop();
  }
});

it('leaves a table alone that holds rows of somebody else', async () => {
  const db = await freshDatabase();
  try {
    await ask(
      db.url,
      "INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')",
    );
    const { code, said } = await traffic(db.url, new AbortController().signal);
    expect(code).toBe(1);
    expect(said).toContain('holds rows that are no sample traffic');
    expect(await rowsOf(db.url)).toBe(1);
  } finally {
    await db.drop();
  }
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { built } from './setup/build.js';
import { freshDatabase } from './setup/database.js';
import { ask } from './setup/postgres.js';

const readme = readFileSync(resolve(import.meta.dirname, '..', 'README.md'), 'utf8');

it('shows an example of the public API that works as it stands', async () => {
  const [, example] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(example).toContain('startMonitor');
  const database = await freshDatabase();
  // Inside the package, where its own name leads to what it exports.
  const file = built(`readme-example-${process.pid}.mjs`);
  await writeFile(file, example ?? '');
  try {
    await ask(
      database.url,
      "INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')",
    );
    const child = spawn(process.execPath, [file], {
      env: { PATH: process.env.PATH, DATABASE_URL: database.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const [code] = await once(child, 'close');
    expect(output).toMatch(/^100 null \d+ \d+$/m);
    expect(output).toMatch(/^[\d.]+ (healthy|degraded)$/m);
    expect(code).toBe(0);
  } finally {
    await rm(file, { force: true });
    await database.drop();
  }
});

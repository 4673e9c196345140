// A monitor in a process of its own: `node child.mjs ENTRY DATABASE_URL`, ENTRY being the built package.
// Answers each line on standard input with one line of JSON: its state and its newest snapshot.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [entry, databaseUrl] = process.argv.slice(2);
const { startMonitor } = await import(pathToFileURL(entry).href);
const monitor = await startMonitor({ databaseUrl });
for await (const _ of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify({ state: monitor.source(), snapshot: monitor.latest() })}\n`);
}
// The end of its input is the end of the test.
await monitor.stop();

// A monitor in a process of its own: `node child.mjs ENTRY CONFIG`, ENTRY being the built package, CONFIG its JSON.
// Answers each line on standard input with one line of JSON: its state, its newest snapshot, and the numbers of the
// period that the line names ({"start", "end"}), if it names one.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [entry, config] = process.argv.slice(2);
const { startMonitor } = await import(pathToFileURL(entry).href);
const monitor = await startMonitor(JSON.parse(config));
for await (const line of createInterface({ input: process.stdin })) {
  const { start, end } = line === '' ? {} : JSON.parse(line);
  const bounds = [start, end].map((text) => new Date(text));
  const period = start && {
    operations: await monitor.getOperationMetrics(...bounds),
    business: await monitor.getBusinessMetrics(...bounds),
  };
  const said = { state: monitor.source(), history: monitor.history(), snapshot: monitor.latest(), period };
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
// The end of its input is the end of the test.
await monitor.stop();

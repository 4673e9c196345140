// A monitor in a process of its own: `node child.mjs ENTRY CONFIG`, ENTRY being the built package, CONFIG its JSON.
// Answers each line on standard input with one line of JSON: its state, its newest snapshot, its last log lines, and the
// numbers of the period that the line names ({"start", "end"}), if it names one. Before that it does what the line
// says: {"step_ms"} sets the host's clock on by so much (back, if negative), {"stall_ms"} lets nothing else run for so long.

import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { stepHostClock } from './host-clock.mjs'; // first: what is loaded later may keep Date.now

const [entry, config] = process.argv.slice(2);
const { startMonitor } = await import(pathToFileURL(entry).href);
const log = [];
const say = (fields, message) => {
  log.push(`${message} ${JSON.stringify(fields)}`);
  if (log.length > 200) log.shift();
};
const monitor = await startMonitor({ ...JSON.parse(config), log: { info: say, warn: say, error: say } });
for await (const line of createInterface({ input: process.stdin })) {
  const { start, end, step_ms: stepMs = 0, stall_ms: stallMs = 0 } = line === '' ? {} : JSON.parse(line);
  stepHostClock(stepMs);
  for (const over = performance.now() + stallMs; performance.now() < over; );
  const bounds = [start, end].map((text) => new Date(text));
  const period = start && {
    operations: await monitor.getOperationMetrics(...bounds),
    business: await monitor.getBusinessMetrics(...bounds),
  };
  const said = {
    state: monitor.source(),
    history: monitor.history(),
    audit: monitor.audit(),
    health: monitor.getSystemHealth(),
    snapshot: monitor.latest(),
    host: new Date().toISOString(),
    rss: process.memoryUsage.rss(),
    log,
    period,
  };
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
// The end of its input is the end of the test.
await monitor.stop();

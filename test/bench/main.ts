/** `npm run bench [name ...] [-- --json] [--quick]`: exits 1 when a bench misses its target, 2 on a wrong name. */
import type { BenchOptions, BenchResult } from './result.js';

const BENCHES = [
  'fold',
  'memory',
  'catchup',
  'freshness',
  'writer',
  'restart',
  'backfill',
  'query',
  'endpoints',
  'flush',
  'replay',
  'scrape',
  'fanout',
  'page',
] as const;

interface Bench {
  readonly name: string;
  run(options: BenchOptions): Promise<BenchResult>;
}

const words = process.argv.slice(2);
const flags = words.filter((word) => word.startsWith('--'));
const names = words.filter((word) => !word.startsWith('--'));
const wrong = [
  ...names.filter((name) => !(BENCHES as readonly string[]).includes(name)),
  ...flags.filter((flag) => flag !== '--json' && flag !== '--quick'),
];

if (wrong.length > 0) {
  console.error(`unknown: ${wrong.join(', ')}; benches: ${BENCHES.join(', ')}; flags: --json, --quick`);
  process.exitCode = 2;
} else {
  const json = flags.includes('--json');
  const results: BenchResult[] = [];
  for (const name of names.length > 0 ? names : BENCHES) {
    const bench = (await import(`./${name}.js`)) as Bench;
    if (!json) console.log(`# ${name}`);
    const result = await bench.run({ quick: flags.includes('--quick') });
    results.push(result);
    if (json) continue;
    for (const line of result.lines) console.log(line);
    console.log(`${result.pass ? 'ok  ' : 'MISS'} ${result.target}\n`);
  }
  if (json) console.log(JSON.stringify(results, null, 2));
  if (results.some((result) => !result.pass)) process.exitCode = 1;
}

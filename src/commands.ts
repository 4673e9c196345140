/** The command line: which commands there are, their flags, and what each does with its settings. */
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { nearestZone, Zone } from '../streams/zone.js';
import { migrate, serve, unmigrate } from './app.js';
import { serveDemo } from './app-demo.js';
import { doctor } from './app-doctor.js';
import { REPORT_FORMATS, ReportDateError, report } from './app-report.js';
import { sampleTraffic } from './app-traffic.js';
import { INCIDENTS, type Incident } from './cli/traffic-weather.js';
import { addAlertCommands } from './commands-alerts.js';
import { Told, UsageError } from './commands-end.js';
import { addWatchCommands } from './commands-watch.js';
import { type Config, describeSetting, flagOf, type Key, readConfig } from './config.js';
import { SETTINGS } from './config-table.js';
import { reportLines } from './doctor/text.js';
import { version } from './files.js';
import { createLog, type Logger } from './log.js';

/** What the process gives to a command. */
export interface Host {
  /** A line for standard output. */
  readonly print: (line: string) => void;
  /** A line for standard error. */
  readonly note: (line: string) => void;
  /** Says that the command shall end. */
  readonly signal: AbortSignal;
  /** Whether standard output is a terminal that shows colours. */
  readonly colours: boolean;
  /** Characters of a line of that terminal; undefined where standard output is none. */
  readonly columns?: () => number | undefined;
  /** Whether standard output is a terminal that can be drawn on. */
  readonly screen?: boolean;
  /** Whether what was printed has gone; undefined where it always has. */
  readonly ready?: () => boolean;
  /** POSIX name of the user's locale: `ru_RU.UTF-8`. */
  readonly locale?: string | undefined;
  /** Instead of the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The working directory: `.env` is read there, and the embedded database lies in `data` of it. */
  readonly folder: string;
}

const DATABASE_KEYS: readonly Key[] = [
  ...(['DATABASE_URL', 'SYNC_LOG_TABLE', 'BELL', 'LOG_LEVEL', 'SYNC_LOG_FORMAT'] as const),
];
const REPORT_KEYS: readonly Key[] = [
  ...(['DATABASE_URL', 'SYNC_LOG_TABLE', 'MANUAL_RESOLUTION_MINUTES', 'HOUR_COST'] as const),
];
const ALL_KEYS = Object.keys(SETTINGS) as readonly Key[];
const DEMO_KEYS = ALL_KEYS.filter((key) => key !== 'DATABASE_URL' && key !== 'SYNC_LOG_TABLE');
const EMBEDDED_FOLDER = 'data';

/** The program; `host` is what its commands use of the process. */
export function createProgram(host: Host): Command {
  const program = new Command('sync-monitor')
    .description('Watches the Postgres log of a customer synchronisation')
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.print(text.trimEnd()),
      writeErr: (text) => host.note(text.trimEnd()),
    })
    .showHelpAfterError('(--help tells more)');
  const command = (name: string, about: string, keys: readonly Key[]) => {
    const made = program.command(name).description(about);
    for (const key of keys) made.addOption(optionOf(key));
    return made;
  };

  command('serve', 'follow the table and serve what it shows', ALL_KEYS).action((flags) =>
    runServe(host, settings(host, flags)),
  );
  for (const [name, about, work] of [
    ['migrate', 'install what the monitor needs in the database', migrate],
    ['unmigrate', 'remove all that the monitor added to the database', unmigrate],
  ] as const) {
    command(name, about, DATABASE_KEYS)
      .option('--dry-run', 'print the SQL instead of running it', false)
      .action(async ({ dryRun, ...flags }) => {
        const config = settings(host, flags);
        if (config.DATABASE_URL === null)
          throw new UsageError('DATABASE_URL is not set: it names the database');
        await work(config, { dryRun, log: logOf(host, config), print: host.print });
      });
  }
  shaped(command('demo', 'serve an embedded database with sample traffic', DEMO_KEYS)).action(
    ({ rate, incident = [], seed, ...flags }) => {
      const config = settings(host, flags);
      if (config.DATABASE_URL !== null)
        host.note('demo does not touch DATABASE_URL: it uses a database of its own');
      return runDemo(host, config, { rate, incidents: incident, seed });
    },
  );
  // For docker-compose.yml; who tries the program out on a machine has `demo`.
  const alone = program.command('traffic', { hidden: true }).description('write sample traffic');
  for (const key of DATABASE_KEYS) alone.addOption(optionOf(key));
  shaped(alone).action(({ rate, incident = [], seed, ...flags }) =>
    runTraffic(host, settings(host, flags), { rate, incidents: incident, seed }),
  );
  command('doctor', 'check the whole set-up and say what to do for each fault', ALL_KEYS)
    .option('--json', 'one JSON object', false)
    .action(({ json, ...flags }) => runDoctor(host, settings(host, flags), json));
  const reporting = command('report', 'sum up a day or a week: numbers, errors, customers', REPORT_KEYS);
  addReport(reporting, host);
  addAlertCommands(command, host, (flags) => settings(host, flags));
  addWatchCommands(program, host, () => settings(host, {}));
  return program;
}

function shaped(command: Command): Command {
  return command
    .addOption(new Option('--rate <rows>', 'rows a second').default(20).argParser(rate))
    .addOption(new Option('--incident <kinds...>', 'what goes wrong after a while').choices(INCIDENTS))
    .addOption(new Option('--seed <number>', 'of the traffic').argParser(seed));
}

function addReport(command: Command, host: Host): void {
  command
    .addOption(new Option('--day', 'a day; without --date yesterday').conflicts('week'))
    .option('--week', 'a week from Monday to Sunday; without --date the last one that is over')
    .option('--date <date>', 'that day, or the week that it is in: 2026-01-31, today or yesterday')
    .addOption(
      new Option('--tz <zone>', 'whose days: a name of the tz database').default('UTC').argParser(zone),
    )
    .addOption(new Option('--format <format>', 'form of the report').choices(REPORT_FORMATS).default('text'))
    .action(async ({ day, week, date, tz, format, ...flags }) => {
      if (!day && !week) throw new UsageError('report needs --day or --week');
      const config = settings(host, flags);
      if (config.DATABASE_URL === null)
        throw new UsageError('DATABASE_URL is not set: it names the database');
      // Commander does not put a default through the parser.
      const of = typeof tz === 'string' ? new Zone(tz) : tz;
      const request = { kind: week ? 'week' : 'day', date, zone: of, format, signal: host.signal } as const;
      try {
        for (const line of await report(config, config.DATABASE_URL, request)) host.print(line);
      } catch (error) {
        throw error instanceof ReportDateError ? new UsageError(error.message) : error;
      }
    });
}

async function runServe(host: Host, config: Config): Promise<void> {
  if (config.DATABASE_URL === null)
    return runDemo(host, config, { rate: 20, incidents: [], seed: undefined });
  const served = await serve(config, { log: logOf(host, config) });
  await aborted(host.signal);
  await served.stop();
}

async function runDoctor(host: Host, config: Config, json: boolean): Promise<void> {
  const report = await doctor(config, host.folder);
  const lines = json ? [JSON.stringify(report)] : reportLines(report, host.colours);
  for (const line of lines) host.print(line);
  if (report.status === 'fault') throw new Told();
}

interface TrafficFlags {
  readonly rate: number;
  readonly incidents: readonly Incident[];
  readonly seed: number | undefined;
}

async function runDemo(host: Host, config: Config, { seed, ...traffic }: TrafficFlags): Promise<void> {
  const log = logOf(host, config);
  const say =
    config.SYNC_LOG_FORMAT === 'json' ? (line: string) => log.info({ event_type: 'demo' }, line) : host.print;
  say(`Starting an embedded PostgreSQL under ./${EMBEDDED_FOLDER} and writing sample traffic into it.`);
  say('To watch a database of your own, set DATABASE_URL.');
  const demo = await serveDemo(config, {
    ...traffic,
    seed: seed ?? newSeed(),
    folder: join(host.folder, EMBEDDED_FOLDER),
    log,
  });
  say(`Open ${demo.address} (Ctrl-C stops everything)`);
  const failure = await Promise.race([demo.failed, aborted(host.signal)]);
  await demo.stop();
  if (failure) throw failure;
}

async function runTraffic(host: Host, config: Config, { seed, ...shape }: TrafficFlags): Promise<void> {
  if (config.DATABASE_URL === null) throw new UsageError('DATABASE_URL is not set: it names the database');
  const log = logOf(host, config);
  const options = { ...shape, url: config.DATABASE_URL, seed: seed ?? newSeed(), log };
  const traffic = await sampleTraffic(options);
  await aborted(host.signal);
  await traffic.stop();
}

const newSeed = (): number => Date.now() % 2 ** 32;

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((settle) => {
    if (signal.aborted) settle();
    else signal.addEventListener('abort', () => settle(), { once: true });
  });
}

function optionOf(key: Key): Option {
  const { help, range, standard } = describeSetting(key);
  const rest = standard === '' ? '' : `, default ${standard}`;
  return new Option(`${flagOf(key)} <value>`, `${help} (${key}: ${range}${rest})`);
}

function settings(host: Host, flags: Readonly<Record<string, string>>): Config {
  // Flags come under the names that commander makes of them: `metricsCacheTtl` for METRICS_CACHE_TTL.
  const named = ALL_KEYS.map((key) => [key, flags[optionOf(key).attributeName()]]);
  const result = readConfig(Object.fromEntries(named), host.folder, host.env);
  if ('problems' in result) throw new UsageError(`wrong settings:\n  ${result.problems.join('\n  ')}`);
  for (const warning of result.warnings) host.note(`warning: ${warning}`);
  return result.config;
}

function logOf(host: Host, config: Config): Logger {
  const write = (line: string) => host.note(line.trimEnd());
  return createLog({ level: config.LOG_LEVEL, format: config.SYNC_LOG_FORMAT, write });
}

function zone(text: string): Zone {
  try {
    return new Zone(text);
  } catch {
    throw new InvalidArgumentError(
      `allowed: a name of the tz database such as Europe/Moscow or UTC; the nearest is ${nearestZone(text)}`,
    );
  }
}

function rate(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 10_000))
    throw new InvalidArgumentError('allowed: above 0, to 10000 rows a second');
  return value;
}

function seed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('allowed: a whole number from 0 to 999999999');
  return Number(text);
}

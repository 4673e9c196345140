/** `tail` and `top` on the command line: what shows a running monitor in a terminal. */
import { type Command, Option } from 'commander';
import { WINDOW_NAMES } from '../streams/snapshot.js';
import { tail } from './cli/tail.js';
import { tailPast } from './cli/tail-past.js';
import { parseFeedUrl, parseSince } from './cli/tail-since.js';
import { top } from './cli/top.js';
import { LANGUAGES, type Language, languageOf, WORDS } from './cli/top-text.js';
import { FIRST_VIEW, SORT_KEYS } from './cli/top-view.js';
import type { Host } from './commands.js';
import { Told, UsageError } from './commands-end.js';
import type { Config } from './config.js';

/** Of a line that goes into a file or a pipe. */
const PLAIN_COLUMNS = 120;

type Settings = () => Config;

export function addWatchCommands(program: Command, host: Host, settings: Settings): void {
  addTail(program, host, settings);
  addTop(program, host, settings);
}

function watching(program: Command, name: string, about: string): Command {
  return program
    .command(name)
    .description(about)
    .option('--url <url>', "address of the monitor's feed (default: ws://127.0.0.1:PORT/ws)")
    .option(
      '--token <token>',
      'an AUTH_TOKEN or VIEWER_TOKEN of the monitor (default: from the environment)',
    );
}

/** Where the monitor is, and what opens it. */
function placeOf(config: Config, { url, token }: { readonly url?: string; readonly token?: string }) {
  return {
    url: usage(() => parseFeedUrl(url ?? feedUrlOf(config))),
    token: token ?? (config.VIEWER_TOKEN ?? config.AUTH_TOKEN)?.split(/\s+/)[0],
  };
}

function addTail(program: Command, host: Host, settings: Settings): void {
  watching(program, 'tail', "show a running monitor's events")
    .option('--type <types...>', 'only these operation types')
    .option('--status <statuses...>', 'only these statuses')
    .option('--correlation-id <id>', 'only this correlation id')
    .option('--customer <id>', 'only this customer')
    .option('--since <when>', 'past events too, as far as the feed holds them: 10m, 2h, or an ISO 8601 time')
    .option('--until <when>', 'only events before that time, likewise; goes with --no-follow, and means it')
    .option(
      '--no-follow',
      'show past events out of the table (the last 100, or those since --since), and end',
    )
    .option('--json', 'one JSON object a line', false)
    .action(async (flags) => {
      const { type, status, correlationId, customer, json, until, follow } = flags;
      const now = Date.now();
      const common = {
        ...placeOf(settings(), flags),
        since: flags.since === undefined ? null : usage(() => parseSince(flags.since, now)),
        filter: {
          ...(type ? { operation_types: type } : {}),
          ...(status ? { statuses: status } : {}),
          ...(correlationId ? { correlation_id: correlationId } : {}),
          ...(customer ? { customer_id: customer } : {}),
        },
        json,
        colours: host.colours && !json,
        width: host.columns,
        print: host.print,
        note: host.note,
        signal: host.signal,
      };
      const end = until === undefined ? null : usage(() => parseSince(until, now, '--until'));
      const well = follow && end === null ? await tail(common) : await tailPast({ ...common, until: end });
      if (!well) throw new Told();
    });
}

function addTop(program: Command, host: Host, settings: Settings): void {
  watching(program, 'top', 'show the windows of a running monitor on the whole terminal')
    .addOption(
      new Option('--window <window>', 'whose operation types are shown').choices(WINDOW_NAMES).default('5m'),
    )
    .addOption(
      new Option('--sort <column>', 'by which they are sorted').choices(SORT_KEYS).default('operations'),
    )
    .addOption(
      new Option('--lang <language>', "language (default: that of the user's locale)").choices(LANGUAGES),
    )
    .option('--plain', 'one frame of plain text a second, as where there is no terminal', false)
    .option('--once', 'one frame of plain text, and the end', false)
    .action(async ({ window, sort, lang, plain, once, ...flags }) => {
      const language: Language = lang ?? languageOf(host.locale ?? '');
      const well = await top({
        ...placeOf(settings(), flags),
        view: { ...FIRST_VIEW, window, sort, descending: sort !== 'type' },
        words: WORDS[language],
        fullScreen: host.screen === true && !plain && !once,
        once,
        colours: host.colours,
        width: host.columns?.() ?? PLAIN_COLUMNS,
        print: host.print,
        ready: host.ready ?? (() => true),
        note: host.note,
        signal: host.signal,
      });
      if (!well) throw new Told();
    });
}

function feedUrlOf({ HOST, PORT }: Config): string {
  const host = HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST;
  return `ws://${host.includes(':') ? `[${host}]` : host}:${PORT}/ws`;
}

function usage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

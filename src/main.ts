#!/usr/bin/env node
/** The process: arguments, signals, exit codes. Signals are handled here and nowhere else. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { createProgram, type Host } from './commands.js';
import { Fired, Told, UsageError } from './commands-end.js';
import { redactUrl } from './log.js';

const WELL = 0;
const FAILED = 1;
const WRONG_USAGE = 2;
/** `replay --expect-none`, and an alert would have fired. */
const FIRED = 3;
/** SPEC section 9: `SIGTERM` ends `serve` within 5 s, whatever hangs. */
const END_WITHIN_MS = 4_800;
/** One Ctrl-C can arrive twice, from the terminal and from npm; a second one of a person takes longer. */
const ECHO_MS = 400;

/** Runs one command and gives its exit code. */
export async function run(args: readonly string[], host: Host): Promise<number> {
  try {
    await createProgram(host).parseAsync(args, { from: 'user' });
    return WELL;
  } catch (error) {
    // Commander has printed its message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? WELL : WRONG_USAGE;
    if (error instanceof Told) return error instanceof Fired ? FIRED : FAILED;
    host.note(`sync-monitor: ${redactUrl(error instanceof Error ? error.message : String(error))}`);
    return error instanceof UsageError ? WRONG_USAGE : FAILED;
  }
}

function main(): void {
  const stop = new AbortController();
  let firstAt: number | null = null;
  const onSignal = (name: NodeJS.Signals) => {
    if (firstAt === null) {
      firstAt = performance.now();
      stop.abort();
      setTimeout(() => {
        process.stderr.write(
          `sync-monitor: not everything had ended ${END_WITHIN_MS / 1000} s after ${name}\n`,
        );
        process.exit(FAILED);
      }, END_WITHIN_MS).unref();
    } else if (name === 'SIGINT' && performance.now() - firstAt > ECHO_MS) process.exit(FAILED);
  };
  // SIGHUP: the terminal was closed; unheard, it would leave the embedded database behind.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);

  // `tail | head`: the reader has what it wanted, so this is a good end and nothing is left to say.
  let quiet = false;
  process.stdout.on('error', () => {
    quiet = true;
    stop.abort();
  });
  // Without a standard error there is no place to complain about it.
  process.stderr.on('error', () => undefined);
  const host: Host = {
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void (quiet || process.stderr.write(`${line}\n`)),
    signal: stop.signal,
    colours: process.stdout.isTTY === true && process.stdout.hasColors(),
    columns: () => process.stdout.columns,
    screen: process.stdout.isTTY === true && process.env.TERM !== 'dumb',
    ready: () => !process.stdout.writableNeedDrain,
    // In the order of POSIX; an empty one counts as not set.
    locale: process.env.LC_ALL || process.env.LC_MESSAGES || process.env.LANG,
    folder: process.cwd(),
  };
  run(process.argv.slice(2), host).then((code) => process.exit(code));
}

/** npm starts us through a symbolic link. */
function isStarted(): boolean {
  const script = process.argv[1];
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isStarted()) main();

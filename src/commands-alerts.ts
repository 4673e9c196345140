/** `replay` and `alert-test` on the command line. */
import type { Command } from 'commander';
import { AlertTestUsageError, alertTest } from './app-alert-test.js';
import { ReplayUsageError, replay } from './app-replay.js';
import { replayLines } from './cli/replay-text.js';
import type { Host } from './commands.js';
import { Fired, Told, UsageError } from './commands-end.js';
import type { Config, Key } from './config.js';

/** Makes a command that has these settings as flags. */
type MakeCommand = (name: string, about: string, keys: readonly Key[]) => Command;
type Settings = (flags: Readonly<Record<string, string>>) => Config;

const REPLAY_KEYS = ['DATABASE_URL', 'SYNC_LOG_TABLE', 'ALERT_RULES_FILE'] as const;
const ALERT_TEST_KEYS = ['WEBHOOK_ALERT_URL', 'WEBHOOK_SECRET', 'ALERT_RULES_FILE'] as const;

export function addAlertCommands(command: MakeCommand, host: Host, settings: Settings): void {
  command('replay', 'say which alerts past rows would have raised', REPLAY_KEYS)
    .requiredOption('--since <when>', 'from when on: 30d, 12h or an ISO 8601 time')
    .option('--until <when>', 'up to when, likewise; without it up to now')
    .option('--rules <file>', 'a rules file instead of ALERT_RULES_FILE')
    .option('--json', 'one JSON object', false)
    .option('--expect-none', 'end with 3 when an alert would have fired', false)
    .action(async ({ since, until, rules, json, expectNone, ...flags }) => {
      const config = settings(flags);
      if (config.DATABASE_URL === null)
        throw new UsageError('DATABASE_URL is not set: it names the database');
      const request = { since, until, rules, folder: host.folder, signal: host.signal };
      const found = await explained(replay(config, config.DATABASE_URL, request), ReplayUsageError);
      for (const line of json ? [JSON.stringify(found, null, 2)] : replayLines(found)) host.print(line);
      if (expectNone && found.alerts.length > 0) throw new Fired();
    });
  command('alert-test', 'send a test notice to the receivers and print their answers', ALERT_TEST_KEYS)
    .argument('[receiver]', 'only to this one')
    .action(async (receiver: string | undefined, flags) => {
      const { folder, signal, print } = host;
      const request = { receiver, folder, signal, print };
      if (!(await explained(alertTest(settings(flags), request), AlertTestUsageError))) throw new Told();
    });
}

/** What a command takes for wrong usage is told as such. */
async function explained<T>(work: Promise<T>, wrong: new (message: string) => Error): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof wrong ? new UsageError(error.message) : error;
  }
}

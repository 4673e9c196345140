/** A real terminal for tests: a tmux of its own with one shell in it, that types, resizes and looks. */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';

const execute = promisify(execFile);
let made = 0;

/** Whether tmux is there; test/run.sh installs it. */
export const TMUX = spawnSync('tmux', ['-V']).status === 0;

/** What the shell shows when it waits for a command. */
const PROMPT = '@> ';

export class Terminal {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** A terminal of that size whose shell stands in `folder`. */
  static async open(size: { readonly columns: number; readonly rows: number; readonly folder: string }) {
    made += 1;
    const terminal = new Terminal(join(size.folder, `tmux-${made}`));
    const { columns, rows, folder } = size;
    // Nothing of the tester's own terminal and settings.
    const clean = ['env', '-i', `PATH=${process.env.PATH}`, 'LC_ALL=C.UTF-8', `PS1=${PROMPT}`];
    const shell = [...clean, 'TERM=screen-256color', 'bash', '--norc', '--noprofile', '-i'].map(
      (word) => `'${word}'`,
    );
    await terminal.#tmux([
      ...['-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), '-c', folder],
      shell.join(' '),
    ]);
    await terminal.#tmux(['set-option', '-g', 'history-limit', '5000']);
    await terminal.shows(/@>/);
    return terminal;
  }

  async #tmux(args: readonly string[]): Promise<string> {
    const all = ['-u', '-S', this.#socket, ...args];
    return (await execute('tmux', all, { env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8' } })).stdout;
  }

  /** Types a command and Enter. */
  async run(command: string): Promise<void> {
    await this.#tmux(['send-keys', '-l', command]);
    await this.press('Enter');
  }

  /** Keys by the names that tmux has for them: `q`, `C-c`, `Down`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux(['send-keys', ...keys]);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux(['resize-window', '-x', String(columns), '-y', String(rows)]);
  }

  /** Each row of the screen, without the spaces at its end. */
  async lines(): Promise<string[]> {
    return (await this.#tmux(['capture-pane', '-p'])).split('\n').map((line) => line.trimEnd());
  }

  /** The screen with its colours: `ESC[32m` stands before what is green. */
  async coloured(): Promise<string> {
    return (await this.#tmux(['capture-pane', '-p', '-e'])).replaceAll('\u001b', 'ESC');
  }

  /** All since the beginning, lines that were wrapped joined again. */
  async printed(): Promise<string> {
    return this.#tmux(['capture-pane', '-p', '-J', '-S', '-']);
  }

  /** Waits until the screen has it, and gives the rows that had it. */
  async shows(pattern: RegExp): Promise<string[]> {
    let lines: string[] = [];
    const look = async () => {
      lines = await this.lines();
      return lines.join('\n');
    };
    await expect.poll(look, SOON).toMatch(pattern);
    return lines;
  }

  /** Whether a program has left the screen and the cursor as a shell needs them. */
  async state(): Promise<{ readonly alternate: boolean; readonly cursor: boolean }> {
    const [alternate, cursor] = (await this.#tmux(['display', '-p', '#{alternate_on} #{cursor_flag}']))
      .trim()
      .split(' ');
    return { alternate: alternate === '1', cursor: cursor === '1' };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#tmux(['kill-server']).catch(() => undefined);
  }
}

export const SOON = { timeout: 40_000, interval: 100 };

/** The monitor as a process that can be frozen and killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { MonitorConfig } from '../../src/monitor-types.js';
import type { HistoryState } from '../../streams/history-state.js';
import type { BusinessMetrics, OperationMetrics, Snapshot } from '../../streams/snapshot.js';
import type { SourceState } from '../../streams/source-state.js';
import { built } from '../setup/build.js';

export interface Said {
  readonly state: SourceState;
  readonly history: HistoryState;
  readonly snapshot: Snapshot | null;
  /** Of the period that was asked for. */
  readonly period?: { readonly operations: OperationMetrics; readonly business: BusinessMetrics };
}

export interface Child {
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
  /** @throws when the process has ended */
  ask(period?: { readonly start: string; readonly end: string }): Promise<Said>;
  /** Kills it. */
  end(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
}

export function startChild(config: MonitorConfig): Child {
  const child = spawn(
    process.execPath,
    [new URL('child.mjs', import.meta.url).pathname, built('src/index.js'), JSON.stringify(config)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  // Killed while it was asked: the next answer does not come, and that is what the asker is told.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    signal: (signal) => void child.kill(signal),
    async ask(period) {
      child.stdin.write(`${period ? JSON.stringify(period) : ''}\n`);
      const line = await lines.next();
      if (line.done) throw new Error(`the monitor has ended with ${child.exitCode ?? child.signalCode}`);
      return JSON.parse(line.value) as Said;
    },
    async end() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

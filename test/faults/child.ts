/** The monitor as a process that can be frozen, killed, stalled, and given another time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { MonitorConfig } from '../../src/monitor-types.js';
import type { AuditState } from '../../streams/audit-state.js';
import type { HistoryState } from '../../streams/history-state.js';
import type { BusinessMetrics, OperationMetrics, Snapshot } from '../../streams/snapshot.js';
import type { SourceState } from '../../streams/source-state.js';
import type { SystemHealth } from '../../streams/system-health.js';
import { built } from '../setup/build.js';

export interface Said {
  readonly state: SourceState;
  readonly history: HistoryState;
  /** Absent where there is no history. */
  readonly audit?: AuditState;
  readonly health: SystemHealth;
  readonly snapshot: Snapshot | null;
  /** Its own clock. */
  readonly host: string;
  /** Bytes. */
  readonly rss: number;
  /** The last 200 lines. */
  readonly log: readonly string[];
  /** Of the period that was asked for. */
  readonly period?: { readonly operations: OperationMetrics; readonly business: BusinessMetrics };
}

export interface Asked {
  /** Of a period. */
  readonly start?: string;
  readonly end?: string;
  /** Sets the child's clock on by so much, back if negative. */
  readonly step_ms?: number;
  /** Nothing of the child runs for so long. */
  readonly stall_ms?: number;
}

export interface Child {
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
  /** @throws when the process has ended */
  ask(asked?: Asked): Promise<Said>;
  /** Kills it. */
  end(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
}

/** @param execArgv flags of Node.js */
export function startChild(config: MonitorConfig, execArgv: readonly string[] = []): Child {
  const child = spawn(
    process.execPath,
    [
      ...execArgv,
      new URL('child.mjs', import.meta.url).pathname,
      built('src/index.js'),
      JSON.stringify(config),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  // Killed while it was asked: the next answer does not come, and that is what the asker is told.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    signal: (signal) => void child.kill(signal),
    async ask(asked) {
      child.stdin.write(`${asked ? JSON.stringify(asked) : ''}\n`);
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

import { describe, expect, test } from 'vitest';
import { differences } from '../monitor/oracle.js';
import { freshDatabase, sharedVersions } from '../setup/database.js';
import { Writer } from '../source/writers.js';
import { type Said, startChild } from './child.js';
import { byLength } from './length.js';
import { connect, until } from './scene.js';

const STALL_MS = 5_000;

describe.each(
  byLength([18] as const, [18, 15] as const).filter((version) => sharedVersions().includes(version)),
)('the event loop is stalled (PostgreSQL %i)', (version) => {
  test(
    `for ${STALL_MS / 1000} s, under writers: they go on, it stays the leader and misses nothing`,
    async () => {
      const db = await freshDatabase(version);
      const client = await connect(db.url);
      const child = startChild({ databaseUrl: db.url, flushSeconds: 0.5 });
      const writers = Array.from(
        { length: 4 },
        (_, i) => new Writer({ url: db.url, seed: 900 + i, longMs: 1_000, weights: { copy: 0.5 } }),
      );
      try {
        await until(async () => (await child.ask()).snapshot?.completeness.state === 'complete', 'complete');
        for (const writer of writers) await writer.start();
        const statements = () => writers.reduce((sum, writer) => sum + writer.statements, 0);
        for (let stall = 0; stall < byLength(1, 12); stall++) {
          const before = statements();
          const { state } = await child.ask({ stall_ms: STALL_MS });
          expect(statements()).toBeGreaterThan(before + 50);
          expect(state).toMatchObject({ role: 'leader', resets: 0 });
          const { snapshot } = await child.ask();
          const at = Date.parse(snapshot?.at ?? '');
          await until(
            async () => Date.parse((await child.ask()).snapshot?.at ?? '') > at + 2_000,
            'windows move on',
          );
        }
        await Promise.all(writers.map((writer) => writer.stop()));
        expect(writers.map((writer) => writer.error)).toEqual(writers.map(() => undefined));
        let last: Said | undefined;
        let found: string[] = [];
        await until(async () => {
          last = await child.ask();
          if (last.state.unsealedIds > 0 || last.snapshot?.completeness.state !== 'complete') return false;
          found = await differences(client, last.snapshot);
          return found.length === 0;
        }, 'agreement').catch((error: unknown) => {
          throw new Error(`${found.join('; ')} ${JSON.stringify(last?.state)}`, { cause: error });
        });
        expect(last?.state).toMatchObject({ role: 'leader', resets: 0, givenUp: 0 });
      } finally {
        await Promise.all(writers.map((writer) => writer.stop().catch(() => undefined)));
        await child.end();
        await client.end();
        await db.drop();
      }
    },
    byLength(60_000, 240_000),
  );
});

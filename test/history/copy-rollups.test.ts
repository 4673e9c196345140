import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COPY_ROLLUPS, KEPT_UNTIL, packRollups, readRollups } from '../../src/history/rollup-rows.js';
import { ConnectionLostError, Link } from '../../src/source/connection.js';
import { newestVersion } from '../setup/database.js';
import { rollupArb } from './rollups.js';
import { IDENTITY, MINUTE, NOW, type Scene, scene, upTo } from './scene.js';

describe.each(newestVersion())('rows that are copied, on PostgreSQL %i', (version) => {
  let place: Scene;
  let link: Link;
  let id: number;
  beforeAll(async () => {
    place = await scene(version);
    const made = place.store();
    await made.store.begin(IDENTITY, upTo(0));
    link = made.link;
    id = made.store.checkpointId;
  });
  afterAll(() => place.close());

  test('are read as they were packed', async () => {
    const starts = fc.integer({ min: -1e6, max: Math.floor(KEPT_UNTIL / MINUTE) - 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.record({ start: starts, operationType: fc.string({ unit: 'binary' }), rollup: rollupArb }),
          {
            selector: ({ start, operationType }) => `${start} ${operationType}`,
            minLength: 1,
            maxLength: 20,
          },
        ),
        async (made) => {
          const rows = made
            .map((row) => ({
              ...row,
              start: row.start * MINUTE,
              operationType: row.operationType.replaceAll('\0', ''),
            }))
            .filter((row, i, all) => all.findIndex((other) => sameKey(row, other)) === i);
          await link.query('TRUNCATE sync_monitor.rollup');
          await link.copy(COPY_ROLLUPS, packRollups(id, 1, rows));
          const all = { from: -1e6 * MINUTE, to: KEPT_UNTIL };
          const found = await readRollups(link, id, 1, all);
          expect(byKey(found)).toEqual(byKey(rows));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('are refused whole where one is there, and the connection lives on', async () => {
    await link.query('TRUNCATE sync_monitor.rollup');
    const [rollup] = fc.sample(rollupArb, 1);
    if (!rollup) throw new Error('no rollup');
    const row = (operationType: string) => ({ start: NOW, operationType, rollup });
    await link.copy(COPY_ROLLUPS, packRollups(id, 0, [row('created')]));
    const again = link.copy(COPY_ROLLUPS, packRollups(id, 0, [row('updated'), row('created')]));
    await expect(again).rejects.toMatchObject({ code: '23505' });
    await expect(link.copy('COPY nowhere FROM STDIN', Buffer.from('x'))).rejects.toMatchObject({
      code: '42P01',
    });
    expect(await link.query('SELECT operation_type FROM sync_monitor.rollup')).toEqual([['created']]);
  });

  test('that may or may not have arrived are said to be so', async () => {
    const lost = new Link('lost', { url: place.db.url });
    await lost.connect();
    const copied = lost.copy(COPY_ROLLUPS, packRollups(id, 0, []));
    lost.close();
    await expect(copied).rejects.toThrow(ConnectionLostError);
    await expect(lost.copy(COPY_ROLLUPS, packRollups(id, 0, []))).rejects.toThrow('not connected');
  });
});

interface Key {
  readonly start: number;
  readonly operationType: string;
}

function sameKey(a: Key, b: Key): boolean {
  return a.start === b.start && a.operationType === b.operationType;
}

function byKey<T extends Key>(rows: readonly T[]): Map<string, T> {
  return new Map(rows.map((row) => [`${row.start} ${row.operationType}`, row]));
}

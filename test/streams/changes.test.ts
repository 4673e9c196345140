import { describe, expect, test } from 'vitest';
import { Changes } from '../../streams/changes.js';
import { type Batch, OPERATION_TYPES } from '../../streams/event.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import { batch, NOON, row } from './rows.js';

function drawn(changes: Changes): string[] {
  return [...changes.entries()]
    .map(({ start, operationType, rollup }) => {
      const statuses = [...rollup.build().statuses].map(([status, count]) => `${status} ${count}`);
      return `${(start - NOON) / 60_000} ${operationType}: ${statuses.join(', ')}`;
    })
    .sort();
}

function changesOf(...batches: Batch[]): Changes {
  const changes = new Changes(new Vocabulary());
  for (const each of batches) changes.apply(each);
  return changes;
}

describe('changes since the last flush', () => {
  test('by the minute of created_at and the type; live and start, whatever their order', () => {
    const changes = changesOf(
      batch(NOON, {
        rows: [row(1), row(2, { createdAt: NOON + 59_999.999 }), row(3, { createdAt: NOON - 0.001 })],
      }),
      batch(NOON, {
        origin: 'start',
        rows: [row(4, { operationType: 'created' }), row(5, { status: 'error' })],
      }),
    );
    expect(drawn(changes)).toEqual([
      '-1 sync_changes: success 1',
      '0 created: success 1',
      '0 sync_changes: success 2, error 1',
    ]);
    expect([changes.size, changes.rows]).toEqual([3, 5]);
  });

  test('a pending row comes in when it is settled, in the minute that it has then', () => {
    const previous = row(1, { status: 'pending' });
    const changes = changesOf(
      batch(NOON, { rows: [previous, row(2, { status: 'pending' })] }),
      batch(NOON, { updates: [{ previous, row: { ...previous, durationMs: 5 } }] }),
      batch(NOON, { updates: [{ previous, row: row(1, { status: 'failed', createdAt: NOON + 60_000 }) }] }),
      batch(NOON, { removals: [row(2, { status: 'pending' })] }),
    );
    expect(drawn(changes)).toEqual(['1 sync_changes: failed 1']);
    expect([changes.size, changes.rows]).toEqual([1, 1]);
  });

  test('what history has already and what is in no period stays out', () => {
    const changes = changesOf(
      batch(NOON, { origin: 'window', rows: [row(1)] }),
      batch(NOON, { origin: 'refold', span: { from: NOON, to: NOON + 300_000 }, rows: [row(2)] }),
      batch(NOON, {
        rows: [row(3, { createdAt: Infinity }), row(4, { createdAt: -Infinity }), row(5, { createdAt: NaN })],
      }),
    );
    expect([drawn(changes), changes.size, changes.rows]).toEqual([[], 0, 0]);
  });

  test('names are those of the vocabulary that was given, also after a restart', () => {
    const words = new Vocabulary();
    const rows = Array.from({ length: 34 }, (_, i) => row(i, { operationType: `t${i}`, status: `s${i}` }));
    const changes = new Changes(words);
    changes.apply(batch(NOON, { rows }));
    const later = new Changes(new Vocabulary(words.unknown()));
    later.apply(batch(NOON, { rows: rows.toReversed() }));
    expect(drawn(later)).toEqual(drawn(changes));
    const types = new Set([...later.entries()].map(({ operationType }) => operationType));
    expect(types.size).toBe(33);
    expect(types.has('other')).toBe(true);
    expect(words.unknown().types).toEqual(rows.slice(0, 32).map(({ operationType }) => operationType));
    expect(words.types.find('t0')).toBe(OPERATION_TYPES.length + 1);
  });
});

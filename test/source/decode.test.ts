import { describe, expect, test } from 'vitest';
import { bigId, decodeRow, sameRow } from '../../src/source/decode.js';
import { keysOf } from '../../src/source/keeper.js';
import { parseLook } from '../../src/source/look.js';
import { ROW_WIDTH } from '../../src/source/statements.js';

/** A row as the driver hands it over: every column text or null. */
function raw(columns: Partial<Record<number, string | null>> = {}): (string | null)[] {
  const row: (string | null)[] = Array.from({ length: ROW_WIDTH }, () => null);
  row.splice(0, 4, '1', 'sync_changes', 'success', '1750000000.123456');
  for (const [at, value] of Object.entries(columns)) row[Number(at)] = value ?? null;
  return row;
}

describe('a bigint is a number where it is exact, else its digits', () => {
  test.each([
    ['0', 0],
    ['-1', -1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', '9007199254740992'],
    ['9007199254740993', '9007199254740993'],
    ['-9007199254740991', Number.MIN_SAFE_INTEGER],
    ['-9007199254740992', '-9007199254740992'],
    ['9223372036854775807', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
  ])('%s', (digits, id) => {
    expect(bigId(digits)).toBe(id);
    expect(decodeRow(raw({ 0: digits, 4: digits }))).toMatchObject({ id, customerId: id });
  });
});

describe('a row', () => {
  test('of NULLs only', () => {
    expect(decodeRow(raw({ 1: null, 2: null, 3: null }))).toEqual({
      id: 1,
      operationType: '',
      status: '',
      createdAt: Number.NEGATIVE_INFINITY, // in no period, as in SQL
      customerId: null,
      customerEmail: null,
      onecId: null,
      correlationId: null,
      errorMessage: null,
      durationMs: null,
      conflictSource: null,
      identificationMethod: null,
      emailSent: false,
      batch: null,
    });
  });

  test('with everything, at any column of a wider result', () => {
    const columns = raw({
      5: 'a@example.com',
      6: '1C-1',
      7: 'run',
      8: 'broken',
      9: '2147483647',
      10: 'data_import',
      11: 'tax_id',
      12: 't',
    });
    const row = decodeRow(columns);
    expect(row).toMatchObject({
      customerEmail: 'a@example.com',
      onecId: '1C-1',
      correlationId: 'run',
      errorMessage: 'broken',
      durationMs: 2_147_483_647,
      conflictSource: 'data_import',
      identificationMethod: 'tax_id',
      emailSent: true,
    });
    expect(decodeRow(['17', '3.5', ...columns], 2)).toEqual(row);
  });

  test.each([
    ['1750000000.123456', 1_750_000_000_123.456],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['-0.001', -1],
  ])('created %s s after the epoch', (text, ms) => {
    expect(decodeRow(raw({ 3: text })).createdAt).toBeCloseTo(ms, 3);
  });

  test('is told from another one by each of its fields', () => {
    const all = {
      4: '5',
      5: 'e',
      6: 'o',
      7: 'c',
      8: 'm',
      9: '1',
      10: 's',
      11: 'i',
      12: 't',
      13: '["n","1","2","3"]',
    };
    const row = decodeRow(raw(all));
    expect(sameRow(row, decodeRow(raw(all)))).toBe(true);
    const others: Partial<Record<number, string>> = { 0: '2', 1: 'x', 2: 'x', 3: '2', 4: '6', 9: '2' };
    for (let column = 0; column < ROW_WIDTH; column++) {
      const value = column === 12 ? null : column === 13 ? '["n","1","2","4"]' : (others[column] ?? 'x');
      expect(sameRow(row, decodeRow(raw({ ...all, [column]: value })))).toBe(false);
    }
    // NaN and -Infinity are equal to themselves here, else such a row would change at every re-read.
    const odd = raw({ 3: '-Infinity' });
    expect(sameRow(decodeRow(odd), decodeRow(odd))).toBe(true);
  });
});

describe('the totals of a batch come as text, whatever they were', () => {
  const none = { operation_name: null, total: null, success: null, error: null };
  test.each([
    ['[null, null, null, null]', none],
    ['["nightly", "100", "97", "3"]', { operation_name: 'nightly', total: 100, success: 97, error: 3 }],
    ['["", "0", "-1", "1.5"]', { operation_name: '', total: 0, success: -1, error: 1.5 }],
    ['["n", "many", "true", "{}"]', { ...none, operation_name: 'n' }],
    ['["n", "", "  ", "\\n"]', { ...none, operation_name: 'n' }],
    ['["n", "NaN", "Infinity", "1e999"]', { ...none, operation_name: 'n' }],
    ['["n", "1e3", " 7 ", "12abc"]', { operation_name: 'n', total: 1_000, success: 7, error: null }],
  ])('%s', (json, batch) => {
    expect(decodeRow(raw({ 13: json })).batch).toEqual(batch);
  });
});

describe('a look', () => {
  test('of a plain table, nobody there', () => {
    expect(parseLook(['1.5', null, '0', null, '0', 'sys/1/2/3/4', '0', null, null, '0.25'])).toEqual({
      now: 1_500,
      holders: new Set(),
      commitWaiters: 0,
      keyHolder: 0,
      queueUsage: 0,
      epoch: 'sys/1/2/3/4',
      s: 0,
      leaves: [],
      trigger: null,
      tookMs: 0.25,
    });
  });

  test('of a partitioned table at work', () => {
    expect(parseLook(['2', '3/4 -1/77', '5', '4711', '0.25', 'e', '99', '16400 16410', 'O', '3'])).toEqual({
      now: 2_000,
      holders: new Set(['3/4', '-1/77']), // a prepared transaction has no backend
      commitWaiters: 5,
      keyHolder: 4711,
      queueUsage: 0.25,
      epoch: 'e',
      s: 99,
      leaves: ['16400', '16410'],
      trigger: 'O',
      tookMs: 3,
    });
  });

  test('is refused when it is another row', () => {
    expect(() => parseLook([])).toThrow('a look has 10 columns, not 0');
  });
});

describe('the keys of a table', () => {
  const keys = keysOf('public.customer_sync_logs');

  test('are the same in every process and for a restored database', () => {
    expect(keysOf('public.customer_sync_logs')).toEqual(keys);
    // Written into triggers of installed databases: another value here would leave those bells deaf.
    expect(keys).toEqual({
      bell: '-4417941539059365934',
      bellWords: ['3266335123', '3589048274'],
      leader: '5640329498190039367',
      channel: 'sync_monitor_bell_c2b05193d5ec87d2',
    });
  });

  test('are those of one table only', () => {
    const other = keysOf('public.customer_sync_log');
    for (const key of ['bell', 'leader', 'channel'] as const) expect(other[key]).not.toBe(keys[key]);
  });

  test('are bigints for SQL, two unsigned words for pg_locks, and a name that needs no quotes', () => {
    for (const name of ['a.b', '"Portal"."Sync Log"', 'public.журнал', 'x.y']) {
      const { bell, bellWords, leader, channel } = keysOf(name);
      const [high, low] = bellWords.map(BigInt);
      expect(BigInt.asIntN(64, ((high ?? 0n) << 32n) | (low ?? 0n)).toString()).toBe(bell);
      for (const key of [bell, leader]) expect(BigInt.asIntN(64, BigInt(key)).toString()).toBe(key);
      expect(channel).toMatch(/^[a-z_0-9]{1,63}$/);
    }
  });
});

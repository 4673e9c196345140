import { describe, expect, test } from 'vitest';
import type { SyncRow } from '../../streams/event.js';
import { Incidents } from '../../streams/incidents.js';
import { RollupBuilder } from '../../streams/rollup.js';
import { batch, NOON, row } from './rows.js';

let nextId = 1;
const error = (fields: Partial<SyncRow> = {}): SyncRow => row(nextId++, { status: 'error', ...fields });

function fed(rows: readonly SyncRow[], options: ConstructorParameters<typeof Incidents>[0] = {}): Incidents {
  const incidents = new Incidents(options);
  incidents.apply(batch(NOON, { rows }));
  return incidents;
}

describe('time', () => {
  test.each([
    // ms before noon; the window 5m ends with the second that noon begins and is 300 s long
    [0, 1],
    [298_999, 1],
    [299_000, 1],
    [299_001, 0],
    [-999, 1],
    [-1000, 0],
  ])('an error %i ms old: %i customers of 5 minutes', (age, customers) => {
    const incidents = fed([error({ customerId: 7, createdAt: NOON - age })]);
    expect(incidents.view().customersAffected5m).toBe(customers);
  });

  test('an error of the future comes when its window does', () => {
    const incidents = fed([error({ customerId: 7, createdAt: NOON + 3000 })]);
    incidents.advance(NOON + 2999);
    expect(incidents.evidence('1h').errors).toBe(0);
    incidents.advance(NOON + 3000);
    expect(incidents.evidence('1h').errors).toBe(1);
  });

  test('goes forward only', () => {
    const incidents = fed([error({ customerId: 7 })]);
    incidents.advance(NOON - 3_600_000);
    incidents.advance(Number.NaN);
    expect(incidents.view().customersAffected5m).toBe(1);
  });

  test('a customer leaves with the last of his errors', () => {
    const incidents = fed([0, 100, 200].map((s) => error({ customerId: 7, createdAt: NOON - s * 1000 })));
    incidents.advance(NOON + 298_000);
    expect(incidents.view().customersAffected5m).toBe(1);
    incidents.advance(NOON + 300_000);
    expect(incidents.view().customersAffected5m).toBe(0);
    expect(incidents.evidence('1h').affected_customers).toBe(1);
  });
});

describe('batches that failed', () => {
  const nightly = { operation_name: 'nightly', total: 9, success: 2, error: 7 };
  const running = row(1, {
    operationType: 'batch_operation',
    status: 'pending',
    createdAt: NOON - 7_200_000,
  });

  test('one that ran for two hours has failed now', () => {
    const incidents = fed([running]);
    expect(incidents.view().failedBatches5m).toBe(0);
    const failed = { ...running, status: 'failed', batch: nightly };
    incidents.apply(batch(NOON + 1000, { updates: [{ row: failed, previous: running }] }));
    expect(incidents.view().failedBatches5m).toBe(1);
    expect(incidents.evidence('5m').failed_batches).toEqual([
      { operation_name: 'nightly', total: 9, error_count: 7 },
    ]);
  });

  test('one that was there at start counts from when it was written', () => {
    const was = (ageMs: number): number => {
      const incidents = new Incidents();
      const failed = { ...running, createdAt: NOON - ageMs, status: 'failed' };
      incidents.apply(batch(NOON, { origin: 'start', rows: [failed] }));
      return incidents.view().failedBatches5m;
    };
    expect(was(299_000)).toBe(1);
    expect(was(299_001)).toBe(0);
  });

  test('one that reports errors while it runs, and then fails, is one', () => {
    const reports = { ...running, batch: nightly };
    const incidents = fed([reports]);
    incidents.apply(
      batch(NOON + 1000, { updates: [{ row: { ...reports, status: 'failed' }, previous: reports }] }),
    );
    expect(incidents.view().failedBatches5m).toBe(1);
  });

  test('looked at again by the audit, it failed when it was seen to', () => {
    const incidents = fed([running]);
    const failed = { ...running, status: 'failed' };
    incidents.apply(batch(NOON, { updates: [{ row: failed, previous: running }] }));
    const span = { from: NOON - 7_200_000, to: NOON - 6_900_000 };
    incidents.apply(batch(NOON, { origin: 'refold', span, rows: [failed] }));
    expect(incidents.view().failedBatches5m).toBe(1);
  });

  test('the newest three are told, newest first', () => {
    const names = ['a', 'b', 'c', 'd'];
    const rows = names.map((operation_name) =>
      error({ operationType: 'batch_operation', batch: { ...nightly, operation_name } }),
    );
    const told = fed(rows).evidence('5m').failed_batches;
    expect(told.map(({ operation_name }) => operation_name)).toEqual(['d', 'c', 'b']);
  });

  test('corrected in the table: the audit takes it out', () => {
    const failed = { ...running, createdAt: NOON - 1000, status: 'failed' };
    const incidents = fed([failed]);
    const span = { from: NOON - 300_000, to: NOON };
    incidents.apply(batch(NOON, { origin: 'refold', span, rows: [failed] }));
    expect(incidents.view().failedBatches5m).toBe(1);
    incidents.apply(batch(NOON, { origin: 'refold', span, rows: [{ ...failed, status: 'success' }] }));
    expect(incidents.view().failedBatches5m).toBe(0);
  });
});

test('the newest row: also one of those that history tells as a minute, and one that changes', () => {
  const incidents = new Incidents();
  expect(incidents.view()).toMatchObject({ newestRowAt: null, watchedSince: null });
  const minute = NOON - 600_000;
  const minutes = [{ start: minute, operationType: 'created', rollup: new RollupBuilder().build() }];
  incidents.apply(batch(NOON, { origin: 'window', minutes }));
  expect(incidents.view()).toMatchObject({ newestRowAt: minute, watchedSince: NOON });
  const pending = row(1, { status: 'pending', createdAt: NOON - 900_000 });
  incidents.apply(
    batch(NOON + 5, { updates: [{ row: { ...pending, status: 'success' }, previous: pending }] }),
  );
  expect(incidents.view()).toMatchObject({ newestRowAt: NOON + 5, watchedSince: NOON });
});

describe('evidence', () => {
  test('messages that differ in numbers, ids and addresses are one, shown by an example', () => {
    const messages = [
      'Order 4711 of ivan@example.com: HTTP 503 after 1200 ms',
      'Order 4712 of petr.petrov@shop.example.org: HTTP 503 after 900 ms',
      'Order 1 of a@b.de: HTTP 503 after 90000 ms',
    ];
    const { top_errors } = fed([
      ...messages.map((errorMessage) => error({ errorMessage })),
      error({ errorMessage: messages[0] as string, operationType: 'export_to_1c' }),
      error({ errorMessage: 'Timeout' }),
      error(),
      error({ errorMessage: '' }),
    ]).evidence('5m');
    expect(top_errors).toEqual([
      {
        message: 'Order 4711 of i***@e***.com: HTTP 503 after 1200 ms',
        operation_type: 'sync_changes',
        count: 3,
      },
      { message: null, operation_type: 'sync_changes', count: 2 },
      {
        message: 'Order 4711 of i***@e***.com: HTTP 503 after 1200 ms',
        operation_type: 'export_to_1c',
        count: 1,
      },
      { message: 'Timeout', operation_type: 'sync_changes', count: 1 },
    ]);
  });

  test('correlation ids of the newest errors, newest first, each once', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'b', null];
    const rows = ids.map((correlationId, i) => error({ correlationId, createdAt: NOON - (20 - i) * 1000 }));
    expect(fed(rows).evidence('5m').correlation_ids).toEqual(['b', 'f', 'e', 'd', 'c']);
    const atOnce = ['a', 'b', 'c', 'c', 'c', 'c', 'c', 'b'].map((correlationId) => error({ correlationId }));
    expect(fed(atOnce).evidence('5m').correlation_ids).toEqual(['b', 'c', 'a']);
  });

  test('says nothing of anybody, wherever it was written', () => {
    const secrets = ['ivan.petrov@example.com', '+7 912 345-67-89', '7707083893', '500100732259', 'Сидоров'];
    const text = (i: number): string => `${secrets.slice(0, 4).join(' ')} ФИО: Сидоров, take ${i}`;
    const rows = secrets.flatMap((secret, i) => [
      error({
        errorMessage: text(i),
        correlationId: i === 4 ? 'name: Сидоров' : secret,
        operationType: `x ${text(i)}`,
        customerEmail: secrets[0] as string,
      }),
      error({
        operationType: 'batch_operation',
        batch: { operation_name: text(i), total: 1, success: 0, error: 1 },
      }),
    ]);
    const incidents = fed(rows);
    const told = JSON.stringify([incidents.evidence('5m'), incidents.evidence('1h'), incidents.view()]);
    expect(told).toContain('i***@e***.com');
    for (const secret of [...secrets, 'petrov', '345-67', 'example']) expect(told).not.toContain(secret);
  });

  test('an id of the programs stays as it is, whatever its digits look like', () => {
    // Ten of its digits in a row would be masked in any other text.
    const correlationId = '92f175679030443d847910431f0db577';
    expect(fed([error({ correlationId })]).evidence('5m').correlation_ids).toEqual([correlationId]);
  });

  test('a message that was cut where it was read loses the half word at its end', () => {
    // Of a tax number, of which too little is there to know it by.
    const errorMessage = `${`name: "${'x'.repeat(4000)}`.slice(0, 3984)}", tax no 770708`;
    expect(errorMessage).toHaveLength(4000);
    const shown = fed([error({ errorMessage })]).evidence('5m').top_errors[0]?.message;
    expect(shown).toContain('tax no');
    expect(shown).not.toContain('770708');
  });
});

describe('bounds', () => {
  test('customers: exact up to the bound, then at least so many, then exact again', () => {
    const rows = Array.from({ length: 150 }, (_, i) =>
      error({ customerId: i, createdAt: NOON - (150 - i) * 1000 }),
    );
    const hundred = fed(rows.slice(0, 100), { customers: 100 });
    expect(hundred.view()).toMatchObject({ customersAffected5m: 100, customersAffectedAtLeast: false });
    const more = fed(rows, { customers: 100 });
    expect(more.view()).toMatchObject({ customersAffected5m: 100, customersAffectedAtLeast: true });
    expect(more.evidence('5m')).toMatchObject({ errors: 150, affected_customers_at_least: true });
    expect(more.stats().customersLost).toBe(50);
    more.advance(NOON + 4_000_000);
    expect(more.view()).toMatchObject({ customersAffected5m: 0, customersAffectedAtLeast: false });
    const later = rows.slice(0, 100).map((one) => ({ ...one, createdAt: NOON + 4_000_000 }));
    more.apply(batch(NOON + 4_000_000, { rows: later }));
    expect(more.view()).toMatchObject({ customersAffected5m: 100, customersAffectedAtLeast: false });
  });

  test('messages: those beyond the bound are counted as others', () => {
    const words = 'alpha beta gamma delta epsilon'.split(' ');
    const rows = words.flatMap((errorMessage) => [error({ errorMessage }), error({ errorMessage })]);
    const evidence = fed(rows, { groups: 3 }).evidence('1h');
    expect(evidence).toMatchObject({ errors: 10, other_errors: 4 });
    expect(evidence.top_errors.map(({ count }) => count)).toEqual([2, 2, 2]);
  });

  test('errors of the future and failed batches', () => {
    const far = Array.from({ length: 5 }, (_, i) => error({ createdAt: NOON + (i + 1) * 60_000 }));
    const batches = Array.from({ length: 1200 }, () => error({ operationType: 'batch_operation' }));
    const incidents = fed([...far, ...batches], { futureRows: 2 });
    expect(incidents.view().failedBatches5m).toBe(1000);
    incidents.advance(NOON + 900_000);
    expect(incidents.stats()).toEqual({ customersLost: 0, futureDropped: 3, batchesDropped: 200 });
    expect(incidents.evidence('1h').errors).toBe(1202);
  });

  test('a flood of a hundred thousand different errors leaves nothing behind', () => {
    const incidents = new Incidents();
    for (let second = 0; second < 100; second++) {
      const now = NOON + second * 1000;
      const rows = Array.from({ length: 1000 }, (_, i) => {
        const n = second * 1000 + i;
        return error({
          createdAt: now,
          customerId: n * 3,
          correlationId: `c${n}`,
          errorMessage: `Word${n.toString(36).replace(/\d/g, (digit) => 'ghijklmnop'[Number(digit)] ?? '')} is new`,
        });
      });
      incidents.apply(batch(now, { rows }));
    }
    const last = NOON + 99_000;
    incidents.advance(last);
    expect(incidents.view()).toMatchObject({ customersAffected5m: 100_000, customersAffectedAtLeast: false });
    expect(incidents.evidence('1h')).toMatchObject({ errors: 100_000, affected_customers: 100_000 });
    expect(incidents.evidence('1h').other_errors).toBeGreaterThan(90_000);
    incidents.advance(last + 3_600_000);
    expect(incidents.evidence('1h')).toEqual({
      ...{ window: '1h', errors: 0, top_errors: [], other_errors: 0, affected_customers: 0 },
      ...{ affected_customers_at_least: false, correlation_ids: [], failed_batches: [] },
    });
  });
});

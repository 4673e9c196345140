import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvOf } from '../../dashboards/live/src/csv.js';
import { eventsCsv, fileName } from '../../dashboards/live/src/panels/feed/export.js';
import { row } from './feed-rows.js';

const body = (text: string) => text.split('\r\n')[1];

describe('CSV', () => {
  it.each([
    ['=1+1', `"'=1+1"`],
    ['+SUM(A1)', `"'+SUM(A1)"`],
    ['-cmd', `"'-cmd"`],
    ['@A1', `"'@A1"`],
    ['\t=1', `"'\t=1"`],
    ['=a"b', `"'=a""b"`],
    ['a = b', 'a = b'],
    ['a,b', '"a,b"'],
    ['-12.5', '-12.5'],
    [-3, '-3'],
    ['+7', `"'+7"`],
    ['', ''],
    [null, ''],
  ])('writes %j as %s', (cell, written) => {
    expect(body(csvOf(['column'], [[cell]]))).toBe(written);
  });

  it('never has a cell that a spreadsheet would calculate', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('=', '+', '-', '@', '"', ',', '\t', '1', 'a') }),
        (text) => {
          const written = body(csvOf(['c'], [[text]])) ?? '';
          const cell = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
          expect(cell).toMatch(/^(?:-?\d+(\.\d+)?|[^=+\-@\t].*)?$/s);
          expect(cell.replace(/^'/, '')).toBe(text.replace(/^'/, ''));
        },
      ),
    );
  });

  it('has the fields of the API, and says UTF-8', () => {
    const text = eventsCsv([
      row(1, {
        error_message: 'нет ответа\nот 1С',
        batch: { operation_name: 'ночной', total: 3, success: 2, error: 1 },
      }),
      row('9007199254740993', { customer_id: 7 }),
    ]);
    expect(text).toBe(
      '\uFEFFid,created_at,operation_type,status,duration_ms,customer_id,customer_email,onec_id,correlation_id,' +
        'error_message,conflict_source,identification_method,batch_operation_name,batch_total,batch_success,batch_error\r\n' +
        '1,2026-01-31T12:00:00.000Z,export_to_1c,success,120,,,,,"нет ответа\nот 1С",,,ночной,3,2,1\r\n' +
        '9007199254740993,2026-01-31T12:00:00.000Z,export_to_1c,success,120,7,,,,,,,,,,\r\n',
    );
    expect(fileName(Date.UTC(2026, 0, 31, 12))).toBe('events-2026-01-31T120000Z.csv');
  });
});

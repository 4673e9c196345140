import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createdAtIso,
  ERROR_MESSAGE_READ_LIMIT,
  maskEmail,
  maskText,
  SHOWN_LIMIT,
  toEvent,
} from '../../streams/mask.js';
import { NOON, row } from './rows.js';

describe('e-mail addresses', () => {
  test.each([
    ['ivan@example.com', 'i***@e***.com'],
    ['Ivan.Petrov+1c@mail.example.co.uk', 'I***@m***.uk'],
    ['иван@почта.рф', 'и***@п***.рф'],
    ['ivan@localhost', 'i***@l***'],
    ['ivan@example.', 'i***@e***'],
    ['"ivan petrov"@example.com', '"***@e***.com'],
    ['a@b@example.com', 'a***@e***.com'],
    ['😀@example.com', '😀***@e***.com'],
    ['@example.com', '***@e***.com'],
    ['ivan@', 'i***@***'],
    ['ivan', '***'],
    ['', ''],
  ])('%s alone is %s', (email, masked) => {
    expect(maskEmail(email)).toBe(masked);
  });

  test.each([
    ['to ivan@example.com, failed', 'to i***@e***.com, failed'],
    ['<ivan@example.com>', '<i***@e***.com>'],
    ['mailto:ivan@example.com.', 'mailto:i***@e***.com.'],
    ['user=ivan@example.com&x=1', 'user=i***@e***.com&x=1'],
    ["'ivan@example.com'", "'i***@e***.com'"],
    ['Key (email)=(ivan@example.com) already exists.', 'Key (email)=(i***@e***.com) already exists.'],
    ['ivan@example.com;petr@example.org', 'i***@e***.com;p***@e***.org'],
    ['smtp "ivan petrov"@example.com said no', 'smtp "***@e***.com said no'],
    ['five @ six, @seven, eight@', 'five @ six, @seven, eight@'],
  ])('in %s', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });
});

describe('phone numbers', () => {
  test.each([
    '+79991234567',
    '+7 999 123-45-67',
    '+7 (999) 123-45-67',
    '+7(999)123-45-67',
    '+7.999.123.45.67',
    '+7\u00a0999\u00a0123\u201145\u201167',
    '89991234567',
    '8 (495) 123 45 67',
    '8-800-555-35-35',
    '79991234567',
    '7 999 1234567',
    '(495) 123-45-67',
    '(4012) 12-34-56',
    '(495) 1234567',
    '999 123-45-67',
    '999-123-4567',
    '123-45-67',
    '+44 20 7946 0958',
    '+1 (212) 555-0199',
    '+49 30 901820',
    '+380 44 123 45 67',
    '0044 20 7946 0958',
    '(+7) 999 123 45 67',
  ])('%s', (phone) => {
    for (const [before, after] of [
      ['call ', ' now'],
      ['tel:', ','],
      ['', ''],
      ['x', 'y'],
    ]) {
      const masked = maskText(`${before}${phone}${after}`);
      expect(masked).toContain('***');
      expect(masked.match(/\d/g)).toBeNull();
    }
  });

  test.each([
    'id 12345 took 250 ms at 2025-06-15 12:00:00.123456+03',
    'ConnectionError 10.0.0.1:5432',
    'HTTP 500, 3 of 14 rows, 99.95 %, 1 234 567 bytes',
    'correlation 550e8400-e29b-41d4-a716-446655440000',
    'line 8 column 15',
    'x'.repeat(20),
  ])('not in: %s', (text) => {
    expect(maskText(text)).toBe(text);
  });

  test('each of several in a row', () => {
    expect(maskText('89991234567 8 999 123 45 68, +79991234569; 42')).toBe('*** ***, ***; 42');
  });
});

describe('tax numbers', () => {
  test.each([
    ['ИНН 7707083893 и 500100732259', 'ИНН *** и ***'],
    ['inn7707083893x', 'inn***x'],
    ['770708389 or 77070838931 or 5001007322591', '770708389 or *** or 5001007322591'],
    ['7707083893,500100732259', '***,***'],
    ['12-7707083893', '12-***'],
  ])('%s', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });
});

describe('values after name keys', () => {
  test.each([
    ['name: Ivan Petrov', 'name: ***'],
    ['name=Ivan, code 500', 'name=***, code 500'],
    ['NAME = Ivan; code 500', 'NAME = ***; code 500'],
    ['ФИО: Иванов Иван Иванович; код 5', 'ФИО: ***; код 5'],
    ['фио=Иванов И.И.\nстрока 2', 'фио=*** строка 2'],
    ['fio: Ivanov, Ivan status=error', 'fio: *** status=error'],
    ['{"name": "Ivan \\"X\\" Petrov", "age": 3}', '{"name": "***", "age": 3}'],
    ['{"Name":"Ivan","id":5}', '{"Name":"***","id":5}'],
    ["{'fio': 'Иванов', 'x': 1}", "{'fio': '***', 'x': 1}"],
    ['{\\"name\\": \\"Ivan\\", \\"q\\": 1}', '{\\"name\\": \\"***\\", \\"q\\": 1}'],
    ['{"name": null, "id": 5}', '{"name": ***, "id": 5}'],
    ['{"name": ["Ivan", "Petr"], "id": 5}', '{"name": [***], "id": 5}'],
    ['name: «Иван» и всё', 'name: «***» и всё'],
    ['Key (name)=(Иван Петров) already exists.', 'Key (name)=(***) already exists.'],
    ['first_name=Ivan&last_name=Petrov&id=5', 'first_name=***&last_name=***&id=5'],
    ['customerName: Ivan', 'customerName: ***'],
    ['<name>Иван</name>', '<name>***</name>'],
    ['name => "Ivan"', 'name => "***"'],
    ['Имя: Иван, Фамилия: Петров', 'Имя: *** Фамилия: ***'],
    ['name: "Ivan', 'name: "***'],
    ['𝒜name: Ivan', '𝒜name: Ivan'],
    ['name: ivan@example.com', 'name: ***'],
  ])('%s', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });

  test.each([
    'filename: report.xml',
    'names: 3',
    'the name of it',
    'фиолетовый: да',
    'name:',
    'name: ""',
    'hostname=db1',
  ])('not in: %s', (text) => {
    expect(maskText(text)).toBe(text);
  });
});

describe('the cut', () => {
  test('is at 200 characters, of which an emoji is one', () => {
    expect(maskText('я'.repeat(300))).toBe('я'.repeat(200));
    const emoji = maskText(`x${'😀'.repeat(300)}`);
    expect([...emoji]).toHaveLength(200);
    expect(emoji.endsWith('😀')).toBe(true);
    expect(maskText('short')).toBe('short');
  });

  test('comes after masking, so that no half address is left over', () => {
    const text = `${'x'.repeat(195)} ivan.petrov@example.com`;
    expect(maskText(text)).toBe(`${'x'.repeat(195)} i***`);
    expect(maskText('name: "'.padEnd(3000, 'Иван ').concat('" and more'))).toBe('name: "***" and more');
  });

  test('wherever the database cut before, nothing of a secret survives', () => {
    const secrets = [
      ['mail zqxivan.petrov@example.com sent', 'qx'],
      ['tel +7 999 123-45-67 ok', '99'],
      ['inn 500100732259 ok', '50'],
      ['{"name": "Zqx Petrov"}', 'Zq'],
      ['name=Zqx Petrov;', 'Zq'],
    ] as const;
    for (const [text, secret] of secrets) {
      for (let end = 0; end <= text.length; end++) {
        expect(maskText(text.slice(0, end), 200, { truncated: true })).not.toContain(secret);
      }
    }
  });

  test('a text without spaces loses its end only', () => {
    const json = JSON.stringify(Array.from({ length: 500 }, (_, i) => `value${i}`));
    expect(maskText(json, 200, { truncated: true })).toBe(json.slice(0, 200));
  });
});

test('control characters and escape sequences do not reach a terminal', () => {
  expect(
    maskText('\u001b[31mred\u001b[0m \u001b]0;title\u0007 a\u0000b\tc\r\nd\u007f\u0085\u009b1m\u202ee'),
  ).toBe('red  ]0;title  a b c  d   e');
});

describe('hostile input', () => {
  const long = 300_000;
  test.each(
    Object.entries({
      letters: 'a',
      at: '@',
      'letter and at': 'a@',
      'at and dot': '@.',
      quotes: '"@',
      'quoted name': '"name": "',
      'open names': 'name: (',
      'name and spaces': `name${' '.repeat(50)}`,
      'name and backslashes': `name${'\\'.repeat(50)}`,
      colons: 'name:',
      commas: 'name: ,',
      digits: '1',
      'digits apart': '7 ',
      'plus and digits': '+7',
      parentheses: '(7',
      'phone like': '8 999 ',
      uuids: '550e8400-e29b-41d4-a716-',
      escapes: '\u001b[',
      'open escape': '\u001b[0;',
      surrogates: '\ud83d',
      'cyrillic keys': 'фиоимя=',
    }),
  )('%s', (_, part) => {
    const text = part.repeat(Math.ceil(long / part.length));
    for (const truncated of [false, true]) {
      expect(maskText(text, SHOWN_LIMIT, { truncated }).length).toBeLessThanOrEqual(2 * SHOWN_LIMIT);
    }
  });

  test('after one such part once and another many times', () => {
    const parts = ['"name": "', 'name: ', 'a@', '+7 ', '\u001b[0', '(', '"'];
    for (const first of parts) {
      for (const part of parts) {
        expect(maskText(first + part.repeat(100_000 / part.length)).length).toBeLessThanOrEqual(
          2 * SHOWN_LIMIT,
        );
      }
    }
  });
});

describe('any text', () => {
  const words = fc.array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        'name',
        ':',
        '=',
        '"',
        ' ',
        '@',
        ',',
        '+7',
        '(',
        ')',
        '-',
        '\\',
        '\n',
        'фио',
        '.',
        '8',
        '999',
      ),
    ),
    { maxLength: 60 },
  );

  test('is at most as long as the limit, has no control characters, and is masked already', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 0, max: 250 }), fc.boolean(), (parts, limit, truncated) => {
        const masked = maskText(parts.join(''), limit, { truncated });
        expect([...masked].length).toBeLessThanOrEqual(limit);
        expect(masked).not.toMatch(/\p{Cc}/u);
        // No half of a pair, unless it came so.
        expect(Buffer.from(masked).includes('\ufffd') && !parts.join('').includes('\ufffd')).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('hides the secrets put into it', () => {
    const local = fc.stringMatching(/^[a-z][a-z0-9._]{3,20}[a-z0-9]$/);
    const digits = fc.stringMatching(/^[0-9]{10}$/);
    const filler = fc.stringMatching(/^[a-zа-я !?;<>#]{0,30}$/);
    fc.assert(
      fc.property(local, digits, digits, filler, filler, filler, (user, inn, phone, a, b, c) => {
        const text = `${a} ${user}@example.com ${b} ${inn} ${c} +7${phone} {"name": "Qzq ${user}"}`;
        const masked = maskText(text, 10_000);
        expect(masked).not.toContain(user);
        expect(masked).not.toContain(inn);
        expect(masked).not.toContain(phone);
        expect(masked).not.toContain('Qzq');
      }),
      { numRuns: 500 },
    );
  });
});

describe('toEvent', () => {
  test('shows a row as SPEC section 4 has it, personal data masked', () => {
    const event = toEvent(
      row('9007199254740993', {
        operationType: 'batch_operation',
        status: 'failed',
        createdAt: NOON + 0.123,
        customerId: 42,
        customerEmail: 'ivan@example.com',
        onecId: 'onec-1',
        correlationId: 'c-1',
        errorMessage: 'ФИО: Иван\nтел. 89991234567',
        durationMs: 12,
        conflictSource: 'ivan@example.com',
        identificationMethod: 'tax_id',
        emailSent: true,
        batch: { operation_name: 'for ivan@example.com', total: 3, success: 2, error: null },
      }),
    );
    expect(event).toEqual({
      id: '9007199254740993',
      operation_type: 'batch_operation',
      status: 'failed',
      customer_id: 42,
      customer_email: 'i***@e***.com',
      onec_id: 'onec-1',
      duration_ms: 12,
      correlation_id: 'c-1',
      created_at: '2025-06-15T12:00:00.000123Z',
      error_message: 'ФИО: *** тел. ***',
      conflict_source: 'i***@e***.com',
      identification_method: 'tax_id',
      batch: { operation_name: 'for i***@e***.com', total: 3, success: 2, error: null },
    });
  });

  test('null stays null', () => {
    const event = toEvent(
      row(1, { createdAt: Infinity, batch: { operation_name: null, total: 1, success: 1, error: 0 } }),
    );
    expect(event).toMatchObject({
      customer_id: null,
      customer_email: null,
      onec_id: null,
      duration_ms: null,
      correlation_id: null,
      created_at: null,
      error_message: null,
      conflict_source: null,
      identification_method: null,
      batch: { operation_name: null },
    });
    expect(createdAtIso(-Infinity)).toBeNull();
  });

  test('an error message of the read limit was cut there: its last word goes', () => {
    const cutInside = `${'"'.padEnd(ERROR_MESSAGE_READ_LIMIT - 9, 'x')}" zqxivan`;
    expect(cutInside).toHaveLength(ERROR_MESSAGE_READ_LIMIT);
    const masked = `name: ${cutInside}`.slice(0, ERROR_MESSAGE_READ_LIMIT);
    expect(toEvent(row(1, { errorMessage: masked })).error_message).toBe('name: "***"');
    const whole = `name: "${'x'.repeat(3000)}" tail`;
    expect(toEvent(row(1, { errorMessage: whole })).error_message).toBe('name: "***" tail');
  });

  test('identifiers of absurd length are bounded', () => {
    const long = 'y'.repeat(1_000_000);
    const event = toEvent(row(1, { operationType: long, status: long, correlationId: long, onecId: long }));
    for (const text of [event.operation_type, event.status, event.correlation_id, event.onec_id]) {
      expect(text).toHaveLength(SHOWN_LIMIT);
    }
  });
});

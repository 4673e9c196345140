import { expect, test } from 'vitest';
import { LOCALES, messageOf, TEXTS, unitOf } from '../../src/alerts/message.js';
import { durationText, fill, PLACEHOLDERS, quantity, unknownPlaceholders } from '../../src/alerts/texts.js';
import { MEASURES, type Measure, type Rule, type Transition } from '../../streams/alert.js';
import { defaultRules } from '../../streams/rules.js';
import { ANY_PERSONAL, evidenceFor, HOSTILE, PERSONAL, RULE, sample, transitionOf } from './notices.js';

const { en, ru } = TEXTS;

const ALL_RULES = defaultRules({
  ALERT_ERROR_RATE_THRESHOLD: 10,
  REALTIME_ERROR_RATE_THRESHOLD: 20,
  ALERT_RESPONSE_TIME_P95_THRESHOLD: 2_000,
  ALERT_FAILED_OPERATIONS_THRESHOLD: 50,
  ALERT_QUEUE_SIZE_THRESHOLD: 1_000,
  REALTIME_PENDING_THRESHOLD: 100,
  HEALTH_CHECK_DISK_THRESHOLD: 90,
  ALERT_NO_ACTIVITY_MINUTES: 30,
  ALERT_CUSTOMERS_AFFECTED: 20,
});

function ofRule(name: string, changes: Partial<Transition> = {}) {
  const rule = ALL_RULES.find((one) => one.name === name);
  if (!rule) throw new Error(`no rule ${name}`);
  const { severity, threshold } = rule;
  return (locale: 'en' | 'ru') =>
    sample(transitionOf({ rule: name, severity, threshold, ...changes }), { rule, locale }).title;
}

// rule, what is special of its transition, the two titles
test.each([
  [
    'slow_response',
    { value: 2_345 },
    '[WARNING] Slow operations, p95 over 1 h: 2,345 ms (threshold 2,000 ms)',
    '[ВНИМАНИЕ] Медленные операции, p95 за 1 ч: 2\u00a0345 мс (порог 2\u00a0000 мс)',
  ],
  [
    'failed_operations_spike',
    { value: 51 },
    '[WARNING] Failed operations in 1 h: 51 (threshold 50)',
    '[ВНИМАНИЕ] Ошибок за 1 ч: 51 (порог 50)',
  ],
  ['api_unavailable', { value: 1 }, '[CRITICAL] 1C API is not available', '[АВАРИЯ] API 1С недоступен'],
  [
    'api_unavailable',
    { kind: 'resolved', value: 0, peak: 1 },
    '[RESOLVED] 1C API is not available, after 12 min 5 s',
    '[УСТРАНЕНО] API 1С недоступен, длилось 12 мин 5 с',
  ],
  [
    'api_unavailable',
    { kind: 'reminder', value: 1 },
    '[STILL CRITICAL] 1C API is not available, for 12 min 5 s',
    '[ВСЁ ЕЩЁ АВАРИЯ] API 1С недоступен, уже 12 мин 5 с',
  ],
  [
    'database_connection',
    { value: null },
    '[CRITICAL] Database cannot be reached',
    '[АВАРИЯ] База данных недоступна',
  ],
  [
    'database_connection',
    { value: 95.5 },
    '[CRITICAL] Database connections used: 95.5 % (threshold 90 %)',
    '[АВАРИЯ] Занято подключений к базе данных: 95,5 % (порог 90 %)',
  ],
  [
    'database_connection',
    { kind: 'resolved', value: 10, peak: null },
    '[RESOLVED] Database cannot be reached, after 12 min 5 s',
    '[УСТРАНЕНО] База данных недоступна, длилось 12 мин 5 с',
  ],
  [
    'no_activity',
    { value: 30.5 },
    '[CRITICAL] No synchronisation: 30.5 min (threshold 30 min)',
    '[АВАРИЯ] Синхронизация стоит: 30,5 мин (порог 30 мин)',
  ],
  [
    'slo_fast_burn',
    { value: 20.25 },
    '[CRITICAL] Error budget burns fast: 20.25× (threshold 14.4×)',
    '[АВАРИЯ] Бюджет ошибок быстро расходуется: 20,25× (порог 14,4×)',
  ],
] as const)('%s %j', (rule, changes, english, russian) => {
  const title = ofRule(rule, changes as Partial<Transition>);
  expect([title('en'), title('ru')]).toEqual([english, russian]);
});

test('every standard rule has words in both languages, and every measure a name', () => {
  for (const locale of LOCALES) {
    for (const { name } of ALL_RULES) expect(TEXTS[locale].rules).toHaveProperty(name);
    const added = (measure: Measure, operationType?: string) => {
      const rule: Rule = { ...RULE, name: 'mine', measure, operationType };
      return sample(transitionOf({ rule: 'mine' }), { rule, locale }).title;
    };
    for (const measure of [...MEASURES, 'component:redis'] as Measure[])
      expect(added(measure)).not.toMatch(new RegExp(`undefined|\\{|${measure}`));
    expect(added('component:redis')).toContain('redis');
    expect(added('duration_p99_5m', 'export_to_1c')).toContain('(export_to_1c)');
  }
});

test('all templates of the languages name only what can be filled in', () => {
  const all = JSON.stringify([en.titles, en.messages, en.rules, ru.titles, ru.messages, ru.rules]);
  expect(unknownPlaceholders(all)).toEqual([]);
});

test.each(LOCALES)('a rule that was removed still has an end, in %s', (locale) => {
  const transition = transitionOf({ kind: 'resolved', rule: 'gone', reason: 'rule_removed' });
  const message = messageOf(transition, undefined, evidenceFor(transition), { locale, templates: {} });
  expect(message.title).toContain('gone');
  expect(message).toMatchObject({ state: 'resolved', unit: 'count', alertId: 'gone-1772366400000' });
});

test('templates of a rule come before those of all, which come before the standard ones', () => {
  const templates = {
    high_error_rate: { title: 'Own {name} at {value}' },
    default: {
      title: 'All {rule}',
      message: '{severity} since {starts_at}',
      resolved_title: 'Over: {duration}',
    },
  };
  const firing = sample(transitionOf(), { templates });
  expect([firing.title, firing.text]).toEqual([
    'Own Error rate over 1 h at 25.13 %',
    'CRITICAL since 2026-03-01 12:00:00 UTC',
  ]);
  const resolved = sample(transitionOf({ kind: 'resolved' }), { templates });
  expect([resolved.title, resolved.text]).toEqual([
    'Over: 12 min 5 s',
    'It lasted from 2026-03-01 12:00:00 UTC to 2026-03-01 12:12:05 UTC.',
  ]);
});

test('rules of the objective say how long the budget lasts, in the language of the reader', () => {
  const sloWords = { en: 'The budget is gone in 4 h.', ru: 'Бюджет кончится через 4 ч.' };
  const rule = ALL_RULES.find(({ name }) => name === 'slo_fast_burn');
  const transition = transitionOf({ rule: 'slo_fast_burn', value: 20 });
  const text = (locale: 'en' | 'ru', of = rule) =>
    messageOf(transition, of, evidenceFor(transition), { locale, templates: {}, sloWords }).text;
  expect(text('en')).toBe('The error budget will soon be gone. The budget is gone in 4 h.');
  expect(text('ru')).toBe('Бюджет ошибок скоро будет исчерпан. Бюджет кончится через 4 ч.');
  expect(text('en', RULE)).not.toContain('4 h');
});

test('what is filled in is never read as a template', () => {
  for (const detail of HOSTILE) {
    const templates = { default: { message: '<{detail}>' } };
    const { text, detail: shown } = sample(transitionOf({ detail }), { templates });
    expect(text.replace(/\s+/g, ' ')).toBe(`<${shown}>`.replace(/\s+/g, ' '));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be in it
    expect(text).not.toMatch(/[\u0000-\u001f\u202e]/);
  }
  const values = Object.fromEntries(PLACEHOLDERS.map((name) => [name, `{value} ${name}`]));
  expect(fill('{name} {detail} {other}', values as Parameters<typeof fill>[1])).toBe(
    '{value} name {value} detail {other}',
  );
});

test('personal data is masked wherever it comes from, and no title grows without end', () => {
  const rule: Rule = { ...RULE, name: 'mine', measure: 'errors_5m', operationType: PERSONAL.join(' ') };
  const message = sample(transitionOf({ rule: 'mine', detail: PERSONAL.join(', ') }), { rule });
  expect(JSON.stringify(message)).not.toMatch(ANY_PERSONAL);
  expect(message.text).toContain('***');
  const templates = { default: { title: '{name}'.repeat(100), message: '{name}'.repeat(1_000) } };
  const long = sample(transitionOf(), { templates });
  expect([...long.title]).toHaveLength(200);
  expect([...long.text]).toHaveLength(2_000);
});

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [999, '1 s'],
  [59_000, '59 s'],
  [60_000, '1 min'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [3_605_000, '1 h 5 s'],
  [3_665_000, '1 h 1 min'],
  [86_400_000, '1 d'],
  [90_061_000, '1 d 1 h'],
])('%i ms is %s', (ms, text) => {
  expect(durationText(ms, en)).toBe(text);
});

test.each([
  ['percent', 12.345, '12.35 %', '12,35 %'],
  ['count', 1_234_567, '1,234,567', '1\u00a0234\u00a0567'],
  ['per_minute', 0.5, '0.5/min', '0,5/мин'],
  ['ms', 1_234.56, '1,235 ms', '1\u00a0235 мс'],
] as const)('%s of %d', (unit, value, english, russian) => {
  expect([quantity(value, unit, en), quantity(value, unit, ru)]).toEqual([english, russian]);
});

test('units follow what is measured', () => {
  expect(
    (['error_rate_5m', 'duration_avg_24h', 'throughput_1m', 'errors_1h', 'disk_used_percent'] as const).map(
      unitOf,
    ),
  ).toEqual(['percent', 'ms', 'per_minute', 'count', 'percent']);
});

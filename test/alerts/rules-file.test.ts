import { expect, test } from 'vitest';
import { parseRulesFile, type RulesFile, type RulesFileContext } from '../../src/alerts/rules-file.js';
import type { Thresholds } from '../../streams/rules.js';

const THRESHOLDS: Thresholds = {
  ALERT_ERROR_RATE_THRESHOLD: 10,
  REALTIME_ERROR_RATE_THRESHOLD: 20,
  ALERT_RESPONSE_TIME_P95_THRESHOLD: 2_000,
  ALERT_FAILED_OPERATIONS_THRESHOLD: 50,
  ALERT_QUEUE_SIZE_THRESHOLD: 1_000,
  REALTIME_PENDING_THRESHOLD: 100,
  HEALTH_CHECK_DISK_THRESHOLD: 90,
  ALERT_NO_ACTIVITY_MINUTES: null,
  ALERT_CUSTOMERS_AFFECTED: null,
};

const CONTEXT: RulesFileContext = {
  file: 'rules.yaml',
  thresholds: THRESHOLDS,
  receivers: ['hooks.slack.com'],
  defaults: { policy: { allowHttp: false, denyPrivate: false }, secret: null, locale: 'en' },
  components: ['database', 'redis', 'onec_api'],
  readSecret: (file) => {
    if (file === 'url.txt') return 'https://example.com/from-file';
    throw new Error('there is no such file');
  },
};

function good(text: string, context: Partial<RulesFileContext> = {}): RulesFile {
  const result = parseRulesFile(text, { ...CONTEXT, ...context });
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.file;
}

function bad(text: string, context: Partial<RulesFileContext> = {}): readonly string[] {
  const result = parseRulesFile(text, { ...CONTEXT, ...context });
  if ('file' in result) throw new Error('nothing was wrong');
  return result.problems;
}

const rule = (file: RulesFile, name: string) => file.rules.find((one) => one.name === name);

test('an empty file changes nothing', () => {
  for (const text of ['', '# nothing\n', 'rules:\n', 'rules: {}\nreceivers: {}\ntemplates: {}\n'])
    expect(good(text)).toMatchObject({ receivers: [], templates: {}, rules: expect.any(Array) });
  expect(rule(good(''), 'high_error_rate')).toMatchObject({ threshold: 10, minimumCount: 20 });
  expect(rule(good(''), 'no_activity')).toBeUndefined();
});

test('changes, adds and turns off rules, names receivers and texts', () => {
  const file = good(`
rules:
  high_error_rate: { threshold: 5.5, minimum_count: 3, for: 2m, resolve_for: 90, severity: warning, receivers: ops }
  slow_response: { enabled: false }
  no_activity: { threshold: 30 }
  slow_export:
    measure: duration_p99_5m
    operation_type: export_to_1c
    threshold: 5000
    severity: critical
    receivers: [ops, hooks.slack.com]
  redis_again: { measure: "component:redis", for: 1h }
  quiet: { measure: throughput_1h, comparison: below, threshold: 0.5 }
receivers:
  ops: { url: https://example.com/hook, locale: ru, headers: { Authorization: Bearer abc } }
  chat: { url_file: url.txt, format: slack }
templates:
  default: { title: "{severity} {name}" }
  slow_export: { message: "Look at {rule}" }
`);
  expect(rule(file, 'high_error_rate')).toEqual({
    ...{ name: 'high_error_rate', severity: 'warning', measure: 'error_rate_1h', comparison: 'above' },
    ...{ threshold: 5.5, minimumCount: 3, forSeconds: 120, resolveForSeconds: 90, over: 'rows' },
    receivers: ['ops'],
  });
  expect(rule(file, 'slow_response')).toBeUndefined();
  expect(rule(file, 'no_activity')).toMatchObject({ threshold: 30, comparison: 'at_least' });
  expect(rule(file, 'blast_radius')).toBeUndefined();
  expect(rule(file, 'slow_export')).toEqual({
    ...{ name: 'slow_export', severity: 'critical', measure: 'duration_p99_5m', comparison: 'above' },
    ...{ threshold: 5_000, minimumCount: 0, forSeconds: 0, resolveForSeconds: 60, over: 'rows' },
    ...{ operationType: 'export_to_1c', receivers: ['ops', 'hooks.slack.com'] },
  });
  expect(rule(file, 'redis_again')).toMatchObject({ over: 'health', threshold: 0, forSeconds: 3_600 });
  expect(rule(file, 'quiet')).toMatchObject({ comparison: 'below', threshold: 0.5 });
  expect(file.receivers.map(({ name, locale, choice }) => [name, locale, choice.format])).toEqual([
    ['ops', 'ru', 'generic'],
    ['chat', 'en', 'slack'],
  ]);
  expect(file.templates).toEqual({
    default: { title: '{severity} {name}' },
    slow_export: { message: 'Look at {rule}' },
  });
});

// The rule, or the line after `rules:`, and the one problem it makes.
test.each([
  [
    'high_error_rate: { threshold: -5 }',
    '2:33: rules.high_error_rate.threshold is -5; allowed: a number from 0 to 100',
  ],
  [
    'high_error_rate: { threshold: 101 }',
    'rules.high_error_rate.threshold is 101; allowed: a number from 0 to 100',
  ],
  [
    'slow_response: { threshold: fast }',
    'rules.slow_response.threshold is "fast"; allowed: a number from 0 to',
  ],
  [
    'slow_response: { threshold: .nan }',
    'rules.slow_response.threshold is null; allowed: a number from 0 to',
  ],
  ['slow_response: { threshold: .inf }', 'rules.slow_response.threshold is'],
  ['slow_response: { threshold: [1] }', 'rules.slow_response.threshold is a list; allowed: a number'],
  ['slow_response: { threshold: }', 'rules.slow_response.threshold is empty; allowed: a number'],
  ['slow_response: 5', '2:18: rules.slow_response is 5; allowed: names with their values'],
  [
    'hihg_error_rate: { threshold: 5 }',
    '2:3: rules.hihg_error_rate is not known; the nearest rule is high_error_rate (a new rule needs a measure)',
  ],
  [
    'slow_response: { treshold: 5 }',
    '2:20: rules.slow_response.treshold is not known; the nearest is threshold',
  ],
  ['slow_response: { for: 5x }', 'rules.slow_response.for is "5x"; allowed: seconds, or a time such as'],
  ['slow_response: { for: -1 }', 'rules.slow_response.for is -1; allowed: seconds'],
  ['slow_response: { for: 48h }', 'rules.slow_response.for is "48h"; allowed: seconds'],
  [
    'slow_response: { severity: fatal }',
    'rules.slow_response.severity is "fatal"; allowed: critical, warning',
  ],
  ['slow_response: { enabled: yes }', 'rules.slow_response.enabled is "yes"; allowed: true, false'],
  ['slow_response: { minimum_count: 1.5 }', 'is 1.5; allowed: a whole number from 0 to 1000000000'],
  [
    'slow_response: { measure: pending }',
    'rules.slow_response.measure cannot be changed: slow_response looks at duration_p95_1h; add a rule of another name',
  ],
  [
    'slow_response: { receivers: [hooks.slack.con] }',
    'rules.slow_response.receivers[0] is "hooks.slack.con", which is no receiver; the nearest is hooks.slack.com',
  ],
  [
    'mine: { measure: duration_p98_5m, threshold: 1 }',
    'rules.mine.measure is "duration_p98_5m", which is not known; the nearest is duration_p95_5m',
  ],
  ['mine: { measure: pending }', '2:3: rules.mine has no threshold; allowed: a number from 0'],
  ['mine: { measure: "component:rediss" }', 'a component that is not known; the nearest is redis'],
  [
    'mine: { measure: export_queue, threshold: 1, operation_type: created }',
    'rules.mine.operation_type cannot be given: export_queue is not measured by operation type',
  ],
  ['"My rule": { measure: pending, threshold: 1 }', 'rules.My rule is no name of a rule; allowed: a-z'],
  ['no_activity: { severity: warning }', 'rules.no_activity has no threshold; allowed: a number from 0'],
  ['slow_response: { threshold: 5, threshold: 6 }', 'this is no YAML: Map keys must be unique'],
  ['slow_response: { threshold: 5', 'this is no YAML:'],
  ['slow_response: *nowhere', 'this is no YAML: nothing before it is marked &nowhere'],
])('%s', (line, expected) => {
  const problems = bad(`rules:\n  ${line}\n`);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^rules\.yaml:\d+:\d+: \S/);
  expect(problems[0]).toContain(expected);
  expect(problems[0]).not.toContain('\n');
});

test.each([
  [
    'ops: { url: "http://example.com/x" }',
    '2:15: receivers.ops.url sends over http to example.com; allowed: https',
  ],
  ['ops: { url: nowhere }', 'receivers.ops.url is no address; allowed: https://host/path'],
  ['ops: {}', '2:3: receivers.ops has no url; allowed: url, or url_file'],
  [
    'ops: { url_file: gone.txt }',
    'receivers.ops.url_file is "gone.txt", which cannot be used: there is no such file',
  ],
  [
    'ops: { url: "https://e.com", url_file: url.txt }',
    'receivers.ops.url_file and url are both set; set one',
  ],
  ['ops: { url: "https://e.com", format: slak }', 'receivers.ops.format is "slak"; allowed: generic, slack'],
  ['ops: { url: "https://e.com", locale: de }', 'receivers.ops.locale is "de"; allowed: en, ru'],
  [
    'ops: { url: "https://e.com", secret: "no base 64" }',
    'receivers.ops.secret cannot sign: allowed: "whsec_"',
  ],
  [
    'ops: { url: "https://e.com", format: telegram }',
    'receivers.ops.chat_id of a Telegram receiver is missing',
  ],
  [
    'ops: { url: "https://e.com", headers: { "a b": c } }',
    'receivers.ops.headers names "a b", which is no header',
  ],
  [
    'ops: { url: "https://e.com", headers: { Host: c } }',
    'receivers.ops.headers names Host, which every notice has',
  ],
  ['ops: { url: "https://e.com", headers: { A: "x\\ny" } }', 'has a value for A that no header can carry'],
  ['"a b": { url: "https://e.com" }', 'receivers.a b.name is no name of a receiver'],
  ['hooks.slack.com: { url: "https://e.com" }', 'is the name of a receiver of WEBHOOK_ALERT_URL already'],
])('receivers: %s', (line, expected) => {
  const problems = bad(`receivers:\n  ${line}\n`);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^rules\.yaml:\d+:\d+: \S/);
  expect(problems[0]).toContain(expected);
});

test('a private address is refused where it is forbidden', () => {
  const defaults = { ...CONTEXT.defaults, policy: { allowHttp: true, denyPrivate: true } };
  expect(bad('receivers: { ops: { url: "http://192.168.1.5/" } }', { defaults })).toEqual([
    'rules.yaml:1:26: receivers.ops.url names 192.168.1.5, a private address, and WEBHOOK_DENY_PRIVATE is true; allowed: a public address',
  ]);
});

test.each([
  ['slow_respons: { title: x }', 'templates.slow_respons is not known; the nearest is slow_response'],
  ['slow_response: { titel: x }', 'templates.slow_response.titel is not known; the nearest is title'],
  [
    'default: { title: "{valeu} {nmae}" }',
    'templates.default.title names {valeu}, which is not known; the nearest is {value}',
  ],
])('templates: %s', (line, expected) => {
  expect(bad(`templates:\n  ${line}\n`)[0]).toContain(expected);
});

test('all mistakes are told at once, in the order of the lines, and no secret with them', () => {
  const problems = bad(`
ruls: {}
rules:
  slow_response: { threshold: -1, severity: bad }
  high_eror_rate: {}
receivers:
  ops: { url: "http://user:pass-word@example.com/secret-path" }
  ops2: { url: "https://example.com/secret-path", secret: "not-base-64!" }
templates:
  default: { title: "{x}" }
`);
  expect(problems.map((one) => one.split(' ')[0])).toEqual([
    'rules.yaml:2:1:',
    'rules.yaml:4:31:',
    'rules.yaml:4:45:',
    'rules.yaml:5:3:',
    'rules.yaml:7:15:',
    'rules.yaml:8:59:',
    'rules.yaml:10:21:',
  ]);
  expect(problems.join('\n')).not.toMatch(/secret-path|pass-word|not-base/);
});

test('aliases are followed, and what is no mapping at all is told', () => {
  const file = good('rules:\n  slow_response: &a { threshold: 7 }\n  pending_operations: *a\n');
  expect(rule(file, 'pending_operations')?.threshold).toBe(7);
  expect(bad('- a\n- b\n')).toEqual(['rules.yaml:1:1: the file is a list; allowed: names with their values']);
});

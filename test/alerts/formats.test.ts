import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { bodyOf, FORMATS, type FormatChoice, faultFinder } from '../../src/alerts/formats.js';
import type { Message } from '../../src/alerts/message.js';
import { tailCommand } from '../../src/alerts/tail-command.js';
import type { Rule } from '../../streams/alert.js';
import {
  ANY_PERSONAL,
  HOSTILE,
  hostileEvidence,
  KNOWN,
  PERSONAL,
  RULE,
  STARTED,
  sample,
  transitionOf,
} from './notices.js';

const CHOICES: readonly FormatChoice[] = FORMATS.map((format) =>
  format === 'telegram' ? { format, chatId: '-100123', threadId: 7 } : { format },
);

function parsed(message: Message, format: FormatChoice['format']) {
  const choice = CHOICES.find((one) => one.format === format);
  if (!choice) throw new Error(format);
  return JSON.parse(bodyOf(message, choice));
}

/** Hostile texts in every place that a row, a name or a component can reach. */
function hostile(texts: readonly string[] = HOSTILE): Message {
  const rule: Rule = { ...RULE, name: 'mine', measure: 'errors_5m', operationType: texts[0] ?? '' };
  return sample(transitionOf({ rule: 'mine', detail: texts.join(' ') }), {
    rule,
    known: { ...KNOWN, evidence: hostileEvidence(texts) },
  });
}

/** All objects inside, depth first. */
function objects(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(objects);
  return Array.isArray(value) ? inside : [value as Record<string, unknown>, ...inside];
}

test.each(CHOICES)('no personal data in $format', (choice) => {
  const { evidence } = { evidence: hostileEvidence(PERSONAL) };
  const rule: Rule = { ...RULE, name: 'mine', measure: 'errors_5m', operationType: PERSONAL[0] ?? '' };
  for (const locale of ['en', 'ru'] as const) {
    const transition = transitionOf({ rule: 'mine', detail: PERSONAL.join(' ') });
    const body = bodyOf(sample(transition, { rule, locale, known: { ...KNOWN, evidence } }), choice);
    expect(body).not.toMatch(ANY_PERSONAL);
    expect(body).toContain('***');
  }
});

describe('generic', () => {
  test('has what SPEC section 6 names', () => {
    expect(parsed(sample(), 'generic')).toEqual({
      alert_type: 'high_error_rate',
      title: '[CRITICAL] Error rate over 1 h: 25.13 % (threshold 10 %)',
      message: 'An unusual share of the operations of the last hour failed.',
      details: {
        ...{ kind: 'firing', peak: 25.13, unit: 'percent', operation_type: null, reason: 'over' },
        ...{ detail: null, alert_id: `high_error_rate-${STARTED}` },
      },
      timestamp: '2026-03-01T12:00:00.000Z',
      source: 'customer-sync-monitor',
      id: `high_error_rate:${STARTED}:firing`,
      rule: 'high_error_rate',
      state: 'firing',
      severity: 'critical',
      starts_at: '2026-03-01T12:00:00.000Z',
      ends_at: null,
      value: 25.13,
      threshold: 10,
      test: false,
      evidence: {
        window: '1h',
        errors: 1_234,
        top_errors: KNOWN.evidence?.top_errors,
        other_errors: 31,
        affected_customers_count: 87,
        affected_customers_at_least: true,
        sample_correlation_ids: KNOWN.evidence?.correlation_ids,
        failed_batches: KNOWN.evidence?.failed_batches,
        compared: KNOWN.compared,
        link: `https://monitor.example.com/sync/#alert=high_error_rate-${STARTED}`,
        tail_command:
          'sync-monitor tail --no-follow --since=2026-03-01T11:00:00Z --until=2026-03-01T12:01:00Z --status=error --status=failed --url=wss://monitor.example.com/sync/ws',
      },
    });
    expect(parsed(sample(transitionOf({ kind: 'resolved' })), 'generic')).toMatchObject({
      state: 'resolved',
      ends_at: '2026-03-01T12:12:05.000Z',
    });
    expect(parsed(sample(transitionOf({ kind: 'reminder' })), 'generic')).toMatchObject({
      state: 'firing',
      details: { kind: 'reminder' },
    });
  });
});

describe('slack', () => {
  test('reads nothing of what comes from rows as markup', () => {
    const body = parsed(hostile(), 'slack');
    const types = new Set(objects(body.blocks).flatMap(({ type }) => type ?? []));
    expect([...types].sort()).toEqual([
      ...['header', 'link', 'plain_text', 'rich_text', 'rich_text_list', 'rich_text_preformatted'],
      ...['rich_text_section', 'text'],
    ]);
    // Only our own address is a link.
    expect(objects(body.blocks).filter(({ type }) => type === 'link')).toEqual([
      {
        type: 'link',
        url: expect.stringContaining('https://monitor.example.com/sync/#alert='),
        text: 'Dashboard',
      },
    ]);
    expect(body.mrkdwn).toBe(false);
    expect(body.text).not.toMatch(/[<>]|&(?!(amp|lt|gt);)|@\w|\]\(/);
    expect(body.text).toContain('&lt;!channel&gt;');
  });

  test('has no empty text, which Slack refuses, and a header within its limit', () => {
    const templates = { default: { title: 'x'.repeat(300), message: '{operation_type}' } };
    const body = parsed(sample(transitionOf(), { templates }), 'slack');
    for (const one of objects(body.blocks))
      if ('text' in one && typeof one.text === 'string') expect(one.text).not.toBe('');
    expect(body.blocks[0].text.text).toHaveLength(150);
  });
});

describe('teams', () => {
  test('has texts in runs only, which read no Markdown, and none that is a date to fill in', () => {
    const body = parsed(hostile(), 'teams');
    const card = body.attachments[0].content;
    expect(card.body.every(({ type }: { type: string }) => type === 'RichTextBlock')).toBe(true);
    const types = new Set(objects(card.body).map(({ type }) => type));
    expect([...types].sort()).toEqual(['RichTextBlock', 'TextRun']);
    expect(JSON.stringify(card.body)).not.toContain('{{');
    expect(card.msteams).toEqual({ width: 'Full' });
    expect(card.actions).toHaveLength(1);
  });

  test('stays within the 28 KB that Teams takes, with the longest of everything', () => {
    const long = HOSTILE.map(() => 'ы💥'.repeat(2_000));
    expect(Buffer.byteLength(JSON.stringify(parsed(hostile(long), 'teams')))).toBeLessThan(28_000);
  });

  test('the older connectors tell a fault with a 200', () => {
    const find = faultFinder('teams');
    expect(find?.('1')).toBeNull();
    expect(find?.('Webhook message delivery failed with error: HTTP error 429')).toContain('429');
    expect(faultFinder('generic')).toBeUndefined();
  });
});

describe('telegram', () => {
  test('marks by places, and what comes from rows is code', () => {
    const message = hostile();
    const body = parsed(message, 'telegram');
    expect(body).toMatchObject({ chat_id: '-100123', message_thread_id: 7 });
    expect(body).not.toHaveProperty('parse_mode');
    let end = 0;
    let outside = '';
    const code: string[] = [];
    for (const { type, offset, length } of body.entities) {
      expect(offset).toBeGreaterThanOrEqual(end);
      expect(length).toBeGreaterThan(0);
      const marked = body.text.slice(offset, offset + length);
      outside += body.text.slice(end, offset) + (type === 'bold' ? marked : '');
      if (type === 'code') code.push(marked);
      end = offset + length;
    }
    outside += body.text.slice(end);
    expect(end).toBeLessThanOrEqual(body.text.length);
    const lines = message.sections.flatMap((section) => section.lines);
    expect(code).toEqual(lines.slice(0, code.length));
    expect(code.length).toBeGreaterThan(HOSTILE.length);
    expect(outside).not.toMatch(/@\w|#\w|\/\w|:\/\//);
  });

  test('is cut between lines where it is too long, at most 4096', () => {
    const templates = { default: { title: 'т'.repeat(200), message: 'т'.repeat(2_000) } };
    const known = { ...KNOWN, evidence: hostileEvidence(HOSTILE.map(() => 'ы'.repeat(500))) };
    const body = parsed(sample(transitionOf(), { templates, known }), 'telegram');
    expect(body.text.length).toBeLessThanOrEqual(4_096);
    expect(body.text.endsWith('…')).toBe(true);
    for (const { offset, length } of body.entities)
      expect(offset + length).toBeLessThanOrEqual(body.text.length);
  });

  test('needs no topic', () => {
    const body = JSON.parse(bodyOf(sample(), { format: 'telegram', chatId: '@c', threadId: null }));
    expect(body).not.toHaveProperty('message_thread_id');
  });
});

describe('alertmanager', () => {
  test('an alert is the same when it fires and when it ends', () => {
    const [firing] = parsed(hostile(), 'alertmanager');
    const rule: Rule = { ...RULE, name: 'mine', measure: 'errors_5m', operationType: HOSTILE[0] ?? '' };
    const [resolved] = parsed(
      sample(transitionOf({ rule: 'mine', kind: 'resolved', detail: 'other' }), { rule }),
      'alertmanager',
    );
    expect(resolved.labels).toEqual(firing.labels);
    expect([firing.startsAt, firing.endsAt]).toEqual(['2026-03-01T12:00:00.000Z', undefined]);
    expect([resolved.startsAt, resolved.endsAt]).toEqual([firing.startsAt, '2026-03-01T12:12:05.000Z']);
    for (const one of [firing, resolved])
      for (const value of Object.values({ ...one.labels, ...one.annotations }))
        expect(typeof value).toBe('string');
  });
});

describe('the tail command', () => {
  /** The words that a shell makes of it. */
  const words = (command: string) =>
    execFileSync('sh', ['-c', `set -- ${command}\nprintf '%s\\0' "$@"`], { encoding: 'utf8' })
      .split('\0')
      .slice(0, -1);

  test.each(['it’s', `'; rm -rf / #`, '$(reboot) `x` "y" \\', '--help', 'a b\u2003c', 'тип', '-', '*?[~'])(
    'a shell reads the type %s as one word',
    (operationType) => {
      const rule: Rule = { ...RULE, measure: 'errors_5m', operationType };
      const command = tailCommand(transitionOf(), rule, null, null);
      expect(words(command)).toEqual([
        ...['sync-monitor', 'tail', '--no-follow', '--since=2026-03-01T11:55:00Z'],
        ...['--until=2026-03-01T12:01:00Z', '--status=error', '--status=failed', `--type=${operationType}`],
      ]);
      expect(command.split('\n')).toHaveLength(1);
    },
  );

  test('a type that steers the terminal or is personal data is left out', () => {
    for (const operationType of ['a\nb', 'a\u001b[0m', 'a\u202eb', 'ivan@example.com', '7707083893'])
      expect(tailCommand(transitionOf(), { ...RULE, operationType }, null, null)).not.toContain('--type');
  });

  test.each([
    ['pending', ['--status=pending']],
    ['export_queue', ['--status=pending', '--type=export_to_1c']],
    ['batch_failures', ['--type=batch_operation']],
    ['duration_p95_1h', []],
    ['component:redis', []],
    ['slo_fast_burn', ['--status=error', '--status=failed']],
  ] as const)('of %s has its filters', (measure, filters) => {
    const found = words(tailCommand(transitionOf(), { ...RULE, measure }, null, null));
    expect(found.filter((word) => /^--(status|type)/.test(word))).toEqual(filters);
  });

  test('names the monitor without what is secret in its address', () => {
    const command = tailCommand(transitionOf(), RULE, null, 'http://user:pw@monitor.example.com:8080/?a=b#c');
    expect(words(command).at(-1)).toBe('--url=ws://monitor.example.com:8080/ws');
  });
});

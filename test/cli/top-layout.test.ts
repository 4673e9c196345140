import { describe, expect, it } from 'vitest';
import { frameOf } from '../../src/cli/top-layout.js';
import { type Model, NOTHING_KNOWN, withAlerts, withLoss, withSnapshot } from '../../src/cli/top-model.js';
import { WORDS } from '../../src/cli/top-text.js';
import { FIRST_VIEW, type View, viewAfter } from '../../src/cli/top-view.js';
import type { AlertWire } from '../../streams/alerts-view.js';
import { systemHealth } from '../../streams/system-health.js';
import { COMPLETE, HandDrivenView, row, START } from '../http/view.js';

/** The model of a monitor that has folded these rows, by the real fold. */
function modelOf(fill: (monitor: HandDrivenView) => void = () => {}): Model {
  const monitor = new HandDrivenView();
  fill(monitor);
  monitor.tick(2_000);
  const snapshot = monitor.latest();
  if (snapshot === null) throw new Error('no snapshot');
  const health = systemHealth({ source: monitor.source(), completeness: COMPLETE, now: START });
  return withAlerts({ ...withSnapshot(NOTHING_KNOWN, snapshot), health }, []);
}

const TRAFFIC = (monitor: HandDrivenView) =>
  monitor.fold([
    ...Array.from({ length: 30 }, () => row({ operationType: 'sync_changes', durationMs: 100 })),
    ...Array.from({ length: 3 }, () =>
      row({ operationType: 'export_to_1c', status: 'error', durationMs: 5_000 }),
    ),
    row({ operationType: 'customer_identification', durationMs: null }),
    row({ operationType: 'export_to_1c', status: 'pending', durationMs: null, createdAt: START - 60_000 }),
  ]);

function linesOf(model: Model, more: Partial<Parameters<typeof frameOf>[0]> = {}): string[] {
  const { lines } = frameOf({
    ...{ model, view: FIRST_VIEW, paused: null, words: WORDS.en, place: 'host:8080' },
    ...{ width: 80, height: 24, now: START },
    ...more,
  });
  return lines.map((line) => line.map(({ text }) => text).join(''));
}

const alertOf = (n: number): AlertWire => ({
  ...{ id: `a${n}`, rule: 'r', severity: n === 0 ? 'critical' : 'warning', state: 'firing' },
  ...{ title: `[CRITICAL] Line ${n} is crossed`, message: '', ends_at: null, duration_seconds: 0 },
  ...{ starts_at: new Date(START - 60_000).toISOString(), value: 1, peak: 1, threshold: 0, reason: 'over' },
  ...{ evidence: null, ack: n === 1 ? { at: '', by: null, note: null } : null },
});

describe('the screen', () => {
  it.each([
    [80, 24],
    [200, 50],
    [132, 30],
    [60, 14],
    [40, 10],
    [20, 5],
    [1, 1],
  ])('is never larger than %i x %i, in both languages, with everything on it', (width, height) => {
    const busy = withAlerts(
      modelOf(TRAFFIC),
      Array.from({ length: 12 }, (_, n) => alertOf(n)),
    );
    const lost = withLoss(busy, START, 'the monitor is stopping');
    for (const model of [busy, lost, modelOf(), NOTHING_KNOWN])
      for (const words of [WORDS.en, WORDS.ru]) {
        const lines = linesOf(model, { width, height, words });
        expect(lines).toHaveLength(height);
        for (const line of lines) expect([...line].length).toBeLessThanOrEqual(width);
      }
  });

  it('shows at 80 columns each window and each type with all that SPEC names', () => {
    const lines = linesOf(modelOf(TRAFFIC));
    const head = lines.find((line) => line.includes('WINDOW')) ?? '';
    expect(head).toMatch(/OPS .*ERROR % .*P50 +P95 +P99 +PER MIN/);
    expect(lines.find((line) => line.startsWith('> 5m'))).toMatch(
      /^> 5m +35 +88\.57 +8\.57 +1 +100 ms +5\.00 s +5\.00 s +7\.00$/,
    );
    expect(lines.find((line) => line.startsWith('TYPE'))).toMatch(
      /OPS▼ +ERROR % +P50 +P95 +P99 +PER MIN TREND/,
    );
    expect(lines.find((line) => line.startsWith('export_to_1c'))).toMatch(
      /^export_to_1c +4 +75\.00 +5\.00 s +5\.00 s +5\.00 s +0\.80 +[▁-█]$/,
    );
    expect(lines.join('\n')).toMatch(/Queue {2}pending 1 {3}exports 1 {3}oldest waits 1 min 2 s/);
    expect(lines.join('\n')).toMatch(/Alerts {2}none firing/);
    expect(lines[1]).toMatch(/^Health healthy {3}rows complete {3}lag 4 ms {3}bell -$/);
  });

  it('shows a dash for what is not known or not there, and 0 for what was counted', () => {
    const nothing = linesOf(NOTHING_KNOWN).join('\n');
    expect(nothing).not.toMatch(/(^|\s)0/m);
    expect(nothing).toMatch(/> 5m +- +- +- +- +- +- +- +-$/m);
    expect(nothing).toMatch(/Throughput - -\/min {3}Errors - -/);
    expect(nothing).toMatch(/pending - {3}exports - {3}oldest waits -/);
    expect(nothing).toMatch(/Alerts {2}- not known/);

    const quiet = linesOf(modelOf()).join('\n');
    expect(quiet).toMatch(/> 5m +0 +- +- +0 +- +- +- +0\.00$/m);
    expect(quiet).toMatch(/pending 0 {3}exports 0 {3}oldest waits -/);
    expect(quiet).toContain('no operations in this window');
    // No row has a duration there, and one type is waited for that is older than the window.
    const lines = linesOf(modelOf(TRAFFIC), { view: { ...FIRST_VIEW, window: '1m' } });
    expect(lines.find((line) => line.startsWith('customer_identif'))).toMatch(/1 +0\.00 +- +- +- +1\.00/);
    const old = modelOf((monitor) => {
      const createdAt = START - 3_600_000;
      monitor.fold([
        row({ operationType: 'batch_operation', status: 'pending', durationMs: null, createdAt }),
      ]);
    });
    expect(linesOf(old, { width: 120 }).find((line) => line.startsWith('batch_op'))).toMatch(
      /^batch_operation +0 +- +- +- +1 +1 h +- +- +- +- +▁$/,
    );
  });

  it('uses the room of 200 columns for components, queue and more numbers', () => {
    const text = linesOf(modelOf(TRAFFIC), { width: 200, height: 50 }).join('\n');
    expect(text).toMatch(/COMPONENT +HEALTH/);
    expect(text).toMatch(/database +healthy +answers/);
    expect(text).toMatch(
      /TYPE +OPS▼ SUCCESS % +ERRORS +ERROR % +WARNINGS +SKIPPED +PENDING +OLDEST +MIN +AVG/,
    );
  });

  it('shows alerts with since when, as many as leave room for types', () => {
    const model = withAlerts(
      modelOf(TRAFFIC),
      Array.from({ length: 12 }, (_, n) => alertOf(n)),
    );
    const lines = linesOf(model);
    expect(lines.find((line) => line.startsWith('CRITICAL'))).toMatch(
      /^CRITICAL {2}Line 0 is crossed {2}since \d\d:59:00, 1 min 2 s$/,
    );
    expect(lines.find((line) => line.startsWith('WARNING'))).toMatch(/, acknowledged$/);
    expect(lines.join('\n')).toContain('… 7 more');
    expect(lines.filter((line) => /^(export|sync|customer)_/.test(line))).toHaveLength(3);
    // A plain frame has all of them, and no keys.
    const plain = linesOf(model, { height: Number.POSITIVE_INFINITY });
    expect(plain.filter((line) => /^(CRITICAL|WARNING)/.test(line))).toHaveLength(12);
    expect(plain.join('\n')).not.toContain('quit');
  });

  it('keeps columns apart, however much they hold', () => {
    const old = modelOf((monitor) => {
      const createdAt = START - 3_597_000;
      monitor.fold([
        row({ operationType: 'sync_changes', status: 'pending', durationMs: 2 ** 31 - 1, createdAt }),
      ]);
    });
    for (const words of [WORDS.en, WORDS.ru]) {
      const line = linesOf(old, { width: 200, words }).find((text) => text.startsWith('sync_changes')) ?? '';
      expect(line).toMatch(/ 1 +59 (min|мин) 59 (s|с) +-/);
    }
  });

  it('says that the connection is lost, and keeps the numbers', () => {
    const lines = linesOf(withLoss(modelOf(TRAFFIC), START - 5_000, 'gone\u001b[2J'), { width: 120 });
    expect(lines[0]).toContain('CONNECTION LOST 5 s ago, trying again (gone\ufffd[2J)');
    expect(lines[1]).toMatch(/^Health - .* bell -$/);
    expect(lines.find((line) => line.startsWith('> 5m'))).toContain('35');
    expect(lines.join('\n')).toContain('- not known');
  });

  it('says what is wrong', () => {
    const model = modelOf(TRAFFIC);
    const source = new HandDrivenView();
    source.setSource({ connected: false });
    const health = systemHealth({
      source: source.source(),
      completeness: { state: 'unknown', ratio: null, reasons: ['It does not answer.'] },
      now: START,
    });
    const lines = linesOf({ ...model, health });
    expect(lines[1]).toContain('Health UNHEALTHY');
    expect(lines[2]).toMatch(/^database: does not answer/);
    expect(lines[3]).toMatch(/^completeness: unknown; It does not answer\.$/);
  });

  it('lets nothing through that would steer the terminal', () => {
    const evil = '\u001b]0;x\u0007\u202e\nbad';
    const model = withAlerts(
      modelOf((monitor) =>
        monitor.fold([row({ operationType: evil }), row({ operationType: 'constructor' })]),
      ),
      [{ ...alertOf(0), title: evil }],
    );
    const text = linesOf(model, { width: 200, height: 40 }).join('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not reach a terminal
    expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(text).toContain('bad');
  });

  it('speaks Russian, numbers included', () => {
    const text = linesOf(modelOf(TRAFFIC), { words: WORDS.ru }).join('\n');
    expect(text).toMatch(/> 5m +35 +88,57 +8,57 +1 +100 мс +5,00 с/);
    expect(text).toContain('Очередь  ожидают 1');
    // Names of the data stay what they are; nothing is said in English but the command's name.
    expect(text.split('\n').slice(1).join('\n')).not.toMatch(/[a-z]{3,} [a-z]{2,}/i);
  });
});

describe('the types', () => {
  const model = modelOf(TRAFFIC);
  const order = (view: View, height = 24) =>
    linesOf(model, { view, height })
      .map((line) => /^(export|sync|customer)_/.exec(line)?.[1])
      .filter((name) => name !== undefined);

  it('are sorted as the keys say, what is not known last either way', () => {
    let view: View = FIRST_VIEW;
    const press = (key: string) => {
      const next = viewAfter(view, key);
      if (next === 'quit') throw new Error('quit');
      view = next;
    };
    expect(order(view)).toEqual(['sync', 'export', 'customer']);
    press('r');
    expect(order(view)).toEqual(['customer', 'export', 'sync']);
    press('s');
    expect(view).toMatchObject({ sort: 'error_rate', descending: true });
    expect(order(view)).toEqual(['export', 'customer', 'sync']);
    for (const key of ['s', 's']) press(key);
    expect(view.sort).toBe('p50');
    expect(order(view)).toEqual(['export', 'sync', 'customer']);
    press('r');
    expect(order(view)).toEqual(['sync', 'export', 'customer']);
    for (const key of ['left', 'left', 'left', 'S']) press(key);
    expect(view).toMatchObject({ sort: 'type', descending: false });
    expect(order(view)).toEqual(['customer', 'export', 'sync']);
    // A column by which is sorted is shown, whatever else has to give way.
    expect(linesOf(model, { view: { ...view, sort: 'pending' } }).join('\n')).toContain('PENDING▲');
  });

  it('can be scrolled, no further than to the last', () => {
    const many = modelOf((monitor) =>
      monitor.fold(Array.from({ length: 30 }, (_, n) => row({ operationType: `type_${10 + n}` }))),
    );
    const view: View = { ...FIRST_VIEW, sort: 'type', descending: false };
    const at = (scroll: number) =>
      frameOf({
        ...{ model: many, view: { ...view, scroll }, paused: null, words: WORDS.en, place: 'x' },
        ...{ width: 80, height: 24, now: START },
      });
    const names = (scroll: number) =>
      at(scroll)
        .lines.map((line) => line[0]?.text.trim() ?? '')
        .filter((text) => text.startsWith('type_'));
    expect(names(0)[0]).toBe('type_10');
    expect(names(1)[0]).toBe('type_11');
    const end = at(1_000).scroll;
    expect(names(end).at(-1)).toBe('type_39');
    expect(names(end)).toHaveLength(names(0).length);
    expect(end).toBe(30 - names(0).length);
  });
});

describe('a key', () => {
  it.each([
    ['q', 'quit'],
    ['й', 'quit'],
    ['ctrl-c', 'quit'],
    ['1', { window: '1m' }],
    ['4', { window: '24h' }],
    ['tab', { window: '1h' }],
    ['p', { paused: true }],
    ['з', { paused: true }],
    ['up', { scroll: 0 }],
    ['down', { scroll: 1 }],
  ])('%s leads to %j', (key, expected) => {
    const view = viewAfter(FIRST_VIEW, key);
    if (expected === 'quit') expect(view).toBe('quit');
    else expect(view).toEqual({ ...FIRST_VIEW, ...(expected as Partial<View>) });
  });

  it.each(['5', '0', 'x', '', 'escape', ' 1', '1e0'])('%j does nothing', (key) => {
    expect(viewAfter(FIRST_VIEW, key)).toBe(FIRST_VIEW);
  });
});

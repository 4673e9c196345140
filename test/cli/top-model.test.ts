import { describe, expect, it } from 'vitest';
import { age, count, millis, perMinute, sparkline } from '../../src/cli/top-format.js';
import {
  type Model,
  NOTHING_KNOWN,
  TREND_STEP_MS,
  TREND_STEPS,
  trendOf,
  withAlert,
  withAlerts,
  withConnection,
  withLoss,
  withSnapshot,
} from '../../src/cli/top-model.js';
import { languageOf, WORDS } from '../../src/cli/top-text.js';
import type { AlertMessage } from '../../streams/alerts-view.js';
import { HandDrivenView, row, START } from '../http/view.js';

const en = WORDS.en;

describe('numbers', () => {
  it.each([
    [null, '-'],
    [0, '0 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [1_234, '1.23 s'],
    [59_949, '59.9 s'],
    [59_960, '1.0 min'],
    [125_000, '2.1 min'],
    [7_200_000, '2.0 h'],
    [2_147_483_647, '24.9 d'],
  ])('%j ms are %s', (value, text) => {
    expect(millis(value, en)).toBe(text);
    expect(text.length).toBeLessThanOrEqual(8);
  });

  it.each([
    [null, '-'],
    [0, '0 s'],
    [59.6, '1 min'],
    [125, '2 min 5 s'],
    [3_600, '1 h'],
    [90_000, '1 d 1 h'],
  ])('%j s are %s', (value, text) => expect(age(value, en)).toBe(text));

  it('keep to their columns', () => {
    expect(count(9_999_999, en)).toBe('9,999,999');
    expect(count(123_456_789, en)).toBe('123.5M');
    expect(count(1_234, WORDS.ru)).toBe('1\u00a0234');
    expect(perMinute(0.0612, en)).toBe('0.06');
    expect(perMinute(1_543.2, en)).toBe('1,543');
    expect(perMinute(null, en)).toBe('-');
  });

  it.each([
    ['ru_RU.UTF-8', 'ru'],
    ['ru', 'ru'],
    ['run', 'en'],
    ['C', 'en'],
    ['', 'en'],
  ])('the locale %j speaks %s', (locale, language) => expect(languageOf(locale)).toBe(language));
});

describe('a sparkline', () => {
  it('has its lowest bar for 0, a gap for what is not known, and a dash for nothing at all', () => {
    expect(sparkline([0, 1, 4, 8, null, 0], 10)).toBe('▁▂▅█ ▁');
    expect(sparkline([0, 0], 10)).toBe('▁▁');
    expect(sparkline([null, null], 10)).toBe('-');
    expect(sparkline([], 10)).toBe('-');
    expect(sparkline([1], 0)).toBe('');
  });

  it('puts several values into one bar where there are more than fit, and a single high one stays seen', () => {
    const values = Array.from({ length: 60 }, (_, n) => (n === 30 ? 100 : 0));
    const bars = sparkline(values, 7);
    expect([...bars]).toHaveLength(7);
    expect(bars).toBe('▁▁▁█▁▁▁');
  });
});

describe('the trend', () => {
  function taken(monitor: HandDrivenView, model: Model, ms: number, operations: number): Model {
    monitor.fold(Array.from({ length: operations }, () => row({ createdAt: Date.parse(at(monitor)) })));
    monitor.tick(ms);
    const snapshot = monitor.latest();
    if (snapshot === null) throw new Error('no snapshot');
    return withSnapshot(model, snapshot);
  }
  const at = (monitor: HandDrivenView) => monitor.latest()?.at ?? new Date(START).toISOString();
  const known = (model: Model) => trendOf(model.trend, 'sync_changes').filter((value) => value !== null);

  it('has a value for each step, that of the one before where nothing changed, and no more than five minutes', () => {
    const monitor = new HandDrivenView();
    let model = taken(monitor, NOTHING_KNOWN, 100, 3);
    model = taken(monitor, model, 100, 1);
    expect(known(model)).toEqual([4]);
    model = taken(monitor, model, TREND_STEP_MS * 3, 0);
    expect(known(model)).toEqual([4, 4, 4, 4]);
    model = taken(monitor, model, 60_000, 0);
    expect(known(model).at(-1)).toBe(0);
    for (let n = 0; n < 100; n += 1) model = taken(monitor, model, TREND_STEP_MS, 0);
    expect(model.trend.samples).toHaveLength(TREND_STEPS);
    expect(trendOf(model.trend, 'sync_changes')).toHaveLength(TREND_STEPS);
  });

  it('has a gap where the connection was away, and begins anew after five minutes of that', () => {
    const monitor = new HandDrivenView();
    let model = taken(monitor, NOTHING_KNOWN, 100, 3);
    model = taken(monitor, model, TREND_STEP_MS, 0);
    model = withLoss(withLoss(model, 1, 'gone'), 2, 'still gone');
    expect(model.lost).toEqual({ at: 1, reason: 'gone' });
    model = withConnection(taken(monitor, model, TREND_STEP_MS * 2, 0));
    expect(trendOf(model.trend, 'sync_changes').slice(-4)).toEqual([3, null, null, 3]);
    model = taken(monitor, withLoss(model, 3, 'again'), 400_000, 2);
    // Those two were out of the last minute when the connection came back.
    expect(known(model)).toEqual([0]);
  });
});

describe('alerts', () => {
  const message = (id: string, state: 'firing' | 'resolved', title = 'first'): AlertMessage => ({
    ...{ type: 'alert', id, rule: 'r', severity: 'critical', state, title, message: '', ends_at: null },
    ...{ starts_at: '2026-03-10T12:00:00Z', value: 1, peak: 1, threshold: 0, reason: 'over', evidence: null },
    ...{ kind: state, at: '2026-03-10T12:00:00Z' },
  });

  it('come and go by their messages, each once', () => {
    let model = withAlert(NOTHING_KNOWN, message('a', 'firing'));
    model = withAlert(model, message('b', 'firing'));
    model = withAlert(model, message('a', 'firing', 'reminder'));
    expect(model.alerts.firing.map(({ id, title }) => [id, title])).toEqual([
      ['a', 'first'],
      ['b', 'first'],
    ]);
    model = withAlert(model, message('a', 'resolved'));
    expect(model.alerts.firing.map(({ id }) => id)).toEqual(['b']);
    // Those that fired before are not known until asked for.
    expect(model.alerts.asked).toBe(false);
    expect(withAlerts(model, []).alerts).toEqual({ asked: true, firing: [], note: null });
  });

  it('are kept up to a bound', () => {
    let model: Model = NOTHING_KNOWN;
    for (let n = 0; n < 300; n += 1) model = withAlert(model, message(`a${n}`, 'firing'));
    expect(model.alerts.firing).toHaveLength(100);
    expect(model.alerts.firing[0]?.id).toBe('a299');
  });
});

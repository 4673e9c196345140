/** The screen of `top` as lines, out of what is known and what the viewer chose. Pure: width, height and time come in. */
import type { ComponentHealth } from '../../streams/system-health.js';
import { age, clock, count, DASH, millis, padded, perMinute, plain, sparkline } from './top-format.js';
import type { FiringAlert, Model } from './top-model.js';
import { type Line, type Span, type Style, typeLines, windowLines } from './top-table.js';
import type { Words } from './top-text.js';
import type { View } from './top-view.js';

export interface Frame {
  readonly lines: readonly Line[];
  /** `view.scroll` as far as there is something to scroll to. */
  readonly scroll: number;
}

export interface FrameOptions {
  readonly model: Model;
  readonly view: View;
  /** Since when the numbers stand still, and how many newer ones there are. */
  readonly paused: { readonly at: number; readonly missed: number } | null;
  readonly words: Words;
  /** Where the monitor is, as the viewer knows it. */
  readonly place: string;
  readonly width: number;
  /** Infinity: as many lines as it takes, and no line of keys. */
  readonly height: number;
  /** ms of the Unix epoch. */
  readonly now: number;
}

/** From here on components stand beside the windows. */
const WIDE = 150;
const LEFT_SHARE = 0.55;
/** Lines that types have at least before alerts and gaps give way. */
const LEAST_TYPES = 5;
/** On a low screen; a fifth of a high one. */
const MOST_ALERTS = 5;
const MOST_REASONS = 2;
/** Of a component. */
const LONGEST_NAME = 24;

export function frameOf(options: FrameOptions): Frame {
  const { model, view, words, width, height } = options;
  const wide = width >= WIDE;
  const leftWidth = wide ? Math.floor(width * LEFT_SHARE) : width;
  const left = [
    ...windowLines(model.snapshot, view, words, leftWidth),
    GAP,
    throughputLine(options, leftWidth),
    queueLine(options),
  ];
  const right = wide ? componentLines(options, width - leftWidth - 2) : [];
  const above = [
    titleLine(options),
    healthLine(options),
    ...(wide ? [] : reasonLines(options)),
    GAP,
    ...beside(left, right, leftWidth),
    GAP,
  ];
  const bottom = Number.isFinite(height) ? [keyLine(words)] : [];
  const spare = height - above.filter((line) => line !== GAP).length - bottom.length - LEAST_TYPES;
  const alerts = alertLines(
    options,
    Math.max(
      1,
      Number.isFinite(height) ? Math.min(Math.max(MOST_ALERTS, Math.floor(height / 5)), spare) : spare,
    ),
  );
  const body = [...above, ...alerts, GAP];
  const fitting =
    body.length + LEAST_TYPES + bottom.length > height ? body.filter((line) => line !== GAP) : body;
  const room = Math.max(2, height - fitting.length - bottom.length);
  const types = typeLines(model, view, words, { width, height: room });
  const all = [...fitting, ...types.lines];
  const filled = Number.isFinite(height)
    ? [
        ...all.slice(0, height - bottom.length),
        ...Array.from({ length: Math.max(0, height - bottom.length - all.length) }, () => GAP),
        ...bottom,
      ]
    : all;
  const shown = filled.map((line) => clipped(line, width));
  return { lines: model.lost === null ? shown : shown.map(faded), scroll: types.scroll };
}

const GAP: Line = [];

/** Old numbers stay to be read, visibly old; what says so stays as it is. */
function faded(line: Line, index: number): Line {
  return index === 0 ? line : line.map(({ text }) => ({ text, style: 'dim' }));
}

function titleLine({ model, words, place, now, width, paused, view }: FrameOptions): Line {
  const { lost, snapshot } = model;
  const state: Span =
    lost !== null
      ? { text: words.lost(age((now - lost.at) / 1000, words), plain(lost.reason)), style: 'bad' }
      : snapshot === null
        ? { text: words.waiting, style: 'warn' }
        : { text: words.connected, style: 'good' };
  const pause: Span[] = view.paused
    ? [
        { text: '  ' },
        {
          text: ` ${words.paused(age(paused === null ? 0 : (now - paused.at) / 1000, words), paused?.missed ?? 0)} `,
          style: 'chosen',
        },
      ]
    : [];
  const time = clock(snapshot?.at);
  const left: Line = [{ text: 'sync-monitor top', style: 'bold' }, { text: `  ${place}  ` }, state, ...pause];
  const taken = left.reduce((sum, { text }) => sum + [...text].length, 0);
  const gap = width - taken - time.length;
  return gap < 2 ? left : [...left, { text: ' '.repeat(gap) }, { text: time, style: 'dim' }];
}

const STATUS_STYLE = { healthy: 'good', degraded: 'warn', unhealthy: 'bad', not_configured: 'dim' } as const;
const STATE_STYLE = { complete: 'good', catching_up: 'warn', incomplete: 'bad', unknown: 'bad' } as const;
const BELL_STYLE = { armed: 'good', disarmed: 'good', off: 'dim', dead: 'bad' } as const;

function healthLine({ model: { health, snapshot, source }, words }: FrameOptions): Line {
  const state = snapshot?.completeness.state;
  const facts: readonly (readonly [string, string, Style | undefined])[] = [
    [
      words.health,
      health ? words.statuses[health.status] : DASH,
      health ? STATUS_STYLE[health.status] : 'dim',
    ],
    [words.rows, state ? words.states[state] : DASH, state ? STATE_STYLE[state] : 'dim'],
    [words.lag, millis(snapshot?.lag_ms, words), undefined],
    [
      words.bell,
      source ? words.bells[source.bell.mode] : DASH,
      source ? BELL_STYLE[source.bell.mode] : 'dim',
    ],
    ...(source !== null && source.role !== 'leader' ? [['', words.roles[source.role], 'warn'] as const] : []),
  ];
  return facts.flatMap(([name, text, style], n) => [
    { text: `${n === 0 ? '' : '   '}${name === '' ? '' : `${name} `}`, style: 'dim' as const },
    { text, style },
  ]);
}

/** Why not everything is well, where there is no room for all components. */
function reasonLines({ model: { health, snapshot }, words }: FrameOptions): Line[] {
  const wrong = componentsOf(health?.components).filter(
    ({ status }) => status === 'degraded' || status === 'unhealthy',
  );
  const reasons = [
    ...wrong.map(({ component, status, message }) => ({
      text: `${plain(component)}: ${plain(message)}`,
      style: STATUS_STYLE[status],
    })),
    // Health says these too, once it has been asked.
    ...(health === null
      ? (snapshot?.completeness.reasons ?? []).map((text) => ({ text: plain(text), style: 'warn' as const }))
      : []),
  ];
  const lines: Line[] = reasons.slice(0, MOST_REASONS).map((reason) => [reason]);
  const rest = reasons.length - MOST_REASONS;
  return rest > 0 ? [...lines, [{ text: `… ${words.more(rest)}`, style: 'dim' }]] : lines;
}

function componentsOf(components: Readonly<Record<string, ComponentHealth>> | undefined): ComponentHealth[] {
  const weight = { unhealthy: 0, degraded: 1, healthy: 2, not_configured: 3 };
  return Object.values(components ?? {}).sort((one, other) => weight[one.status] - weight[other.status]);
}

function componentLines({ model: { health }, words }: FrameOptions, width: number): Line[] {
  const statuses = { ...words.statuses, not_configured: words.notConfigured };
  const all = componentsOf(health?.components);
  const nameWidth = Math.min(
    LONGEST_NAME,
    Math.max(words.components.length, ...all.map(({ component }) => plain(component).length)),
  );
  const statusWidth = Math.max(...Object.values(statuses).map(({ length }) => length));
  const lines = all.map(({ component, status, message, response_time_ms }) => {
    const time = response_time_ms === null ? '' : `${millis(response_time_ms, words)}  `;
    const said = padded(time + plain(message), width - nameWidth - statusWidth - 2).trimEnd();
    return [
      { text: `${padded(plain(component), nameWidth)} ` },
      { text: `${padded(statuses[status], statusWidth)} `, style: STATUS_STYLE[status] },
      { text: said, style: 'dim' as const },
    ];
  });
  const head: Line = [
    {
      text: `${padded(words.components, nameWidth)} ${padded(words.health.toUpperCase(), statusWidth)}`,
      style: 'head',
    },
  ];
  return [head, ...(lines.length === 0 ? [[{ text: DASH, style: 'dim' as const }]] : lines)];
}

function throughputLine({ model: { snapshot }, words }: FrameOptions, width: number): Line {
  const series = snapshot?.throughput;
  const last = snapshot?.windows['1m'];
  // The newest step is still filling: shown, it would look like a fall.
  const [total, errors] = [series?.total.slice(0, -1) ?? [], series?.errors.slice(0, -1) ?? []];
  const numbers = [
    `${perMinute(last?.throughput_per_minute, words)}/${words.units[2]}`,
    count(last?.error_count, words),
  ] as const;
  const texts = [`${words.throughput} `, `   ${words.errors} `, ` ${words.last5min}`] as const;
  const taken = [...texts, ...numbers].reduce((sum, text) => sum + [...text].length, 0) + 2;
  const bars = Math.max(8, Math.min(60, Math.floor((width - taken - 2) / 2)));
  return [
    { text: texts[0], style: 'dim' },
    { text: sparkline(total, bars), style: 'good' },
    { text: ` ${numbers[0]}` },
    { text: texts[1], style: 'dim' },
    { text: sparkline(errors, bars), style: 'warn' },
    { text: ` ${numbers[1]}` },
    { text: texts[2], style: 'dim' },
  ];
}

function queueLine({ model: { snapshot }, words }: FrameOptions): Line {
  const queue = snapshot?.queue;
  return [
    { text: `${words.queue}  `, style: 'dim' },
    { text: `${words.pending} ${count(queue?.pending_operations, words)}` },
    { text: `   ${words.exports} ${count(queue?.export_queue, words)}` },
    { text: `   ${words.oldest} ${age(queue?.oldest_age_seconds, words)}` },
  ];
}

function alertLines(options: FrameOptions, most: number): Line[] {
  const { alerts } = options.model;
  const { words } = options;
  if (alerts.firing.length === 0) {
    const text = alerts.asked ? words.noAlerts : `${DASH} ${plain(alerts.note ?? words.alertsUnknown)}`;
    return [
      [
        { text: `${words.alerts}  `, style: 'dim' },
        { text, style: alerts.asked ? 'good' : 'dim' },
      ],
    ];
  }
  const more = alerts.firing.length - most;
  return [
    ...alerts.firing.slice(0, most).map((alert) => alertLine(alert, options)),
    ...(more > 0 ? [[{ text: `… ${words.more(more)}`, style: 'dim' as const }]] : []),
  ];
}

function alertLine(alert: FiringAlert, { model, words, width, now }: FrameOptions): Line {
  // The monitor's clock where we know it: ours may be another.
  const at = model.snapshot === null ? now : Date.parse(model.snapshot.at);
  const lasted = age((at - Date.parse(alert.starts_at)) / 1000, words);
  const began = clock(alert.starts_at).slice(-8);
  const ack = alert.acknowledged ? `, ${words.acknowledged}` : '';
  const tail = `  ${words.since} ${began}, ${lasted}${ack}`;
  const label = padded(words.severities[alert.severity], 9);
  // The severity has its own column; a title begins with it.
  const title = plain(alert.title).replace(/^\[[^\]]*\]\s*/, '');
  const room = Math.max(10, width - label.length - 1 - tail.length);
  return [
    { text: label, style: alert.severity === 'critical' ? 'bad' : 'warn' },
    { text: ` ${padded(title, Math.min(room, [...title].length))}` },
    { text: tail, style: 'dim' },
  ];
}

function keyLine({ keys }: Words): Line {
  return keys.flatMap(([key, meaning], n) => [
    { text: `${n === 0 ? '' : '  '}${key}`, style: 'bold' as const },
    { text: ` ${meaning}`, style: 'dim' as const },
  ]);
}

function beside(left: readonly Line[], right: readonly Line[], leftWidth: number): Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, n) => {
    const one = left[n] ?? GAP;
    const other = right[n];
    // A gap stays the gap that a low screen does without.
    if (other === undefined) return one;
    const taken = one.reduce((sum, { text }) => sum + [...text].length, 0);
    return [...clipped(one, leftWidth), { text: ' '.repeat(Math.max(0, leftWidth - taken) + 2) }, ...other];
  });
}

/** The line as far as it fits, its end marked where something is missing. */
function clipped(line: Line, width: number): Line {
  let room = width;
  const kept: Span[] = [];
  for (const { text, style } of line) {
    const length = [...text].length;
    if (room === 0) break;
    kept.push({ text: length > room ? padded(text, room) : text, style });
    room -= Math.min(length, room);
  }
  return kept;
}

/** Numbers, times and small charts as `top` shows them. Nothing known is a dash, and never looks like 0. */
import { visible } from './tail-format.js';
import type { Words } from './top-text.js';

export const DASH = '-';
/** From here on a count is shortened, so that it fits its column. */
const LONG = 10_000_000;
const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

const formats = new Map<string, Intl.NumberFormat>();

function format(value: number, words: Words, options: Intl.NumberFormatOptions): string {
  const key = `${words.language} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.NumberFormat(words.language, options);
    formats.set(key, made);
  }
  return made.format(value);
}

type Maybe = number | null | undefined;

export function count(value: Maybe, words: Words): string {
  if (value === null || value === undefined) return DASH;
  if (value < LONG) return format(value, words, { maximumFractionDigits: 0 });
  return format(value, words, { notation: 'compact', maximumFractionDigits: 1 });
}

/** The number alone: its column says that it is a percentage. */
export function percent(value: Maybe, words: Words): string {
  if (value === null || value === undefined) return DASH;
  return format(value, words, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** Operations per minute, two decimals while they are few. */
export function perMinute(value: Maybe, words: Words): string {
  if (value === null || value === undefined) return DASH;
  return value < 100 ? percent(value, words) : count(value, words);
}

/** A duration in ms, at most eight characters: `980 ms`, `1.23 s`, `2.1 min`. */
export function millis(value: Maybe, words: Words): string {
  if (value === null || value === undefined) return DASH;
  const [d, h, min, s, ms] = words.units;
  const short = (amount: number, digits: number) =>
    format(amount, words, {
      minimumSignificantDigits: digits,
      maximumSignificantDigits: digits,
      useGrouping: false,
    });
  if (value < 999.5) return `${format(value, words, { maximumFractionDigits: 0 })} ${ms}`;
  if (value < 59_950) return `${short(value / 1000, 3)} ${s}`;
  if (value < 3_570_000) return `${short(value / 60_000, 2)} ${min}`;
  return value < 86_000_000 ? `${short(value / 3_600_000, 2)} ${h}` : `${short(value / 86_400_000, 3)} ${d}`;
}

/** Seconds in their two largest units: `2 min 3 s`. */
export function age(seconds: Maybe, words: Words): string {
  if (seconds === null || seconds === undefined) return DASH;
  const whole = Math.max(0, Math.round(seconds));
  const [d, h, min, s] = words.units;
  if (whole < 60) return `${whole} ${s}`;
  if (whole < 3_600) return joined(whole / 60, min, whole % 60, s);
  if (whole < 86_400) return joined(whole / 3_600, h, (whole % 3_600) / 60, min);
  return joined(whole / 86_400, d, (whole % 86_400) / 3_600, h);
}

function joined(large: number, unit: string, small: number, smaller: string): string {
  const rest = Math.floor(small);
  return `${Math.floor(large)} ${unit}${rest === 0 ? '' : ` ${rest} ${smaller}`}`;
}

/** Local date and time of this machine to the second. */
export function clock(iso: string | null | undefined): string {
  const time = new Date(iso ?? Number.NaN);
  if (Number.isNaN(time.getTime())) return DASH;
  const pad = (value: number) => String(value).padStart(2, '0');
  const date = `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
  return `${date} ${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}

/**
 * Values over time as `width` bars up to the largest of them; several values share a bar where they are more than fit.
 * A 0 is the lowest bar, what is not known a gap; a dash where nothing is known.
 */
export function sparkline(values: readonly Maybe[], width: number): string {
  const bars = squeezed(values, Math.max(0, Math.floor(width)));
  const known = bars.filter((value) => value !== null);
  if (known.length === 0) return width < 1 ? '' : DASH;
  const most = Math.max(...known);
  return bars
    .map((value) => {
      if (value === null) return ' ';
      if (value <= 0) return BARS[0];
      return BARS[Math.max(1, Math.round((value / most) * (BARS.length - 1)))] ?? ' ';
    })
    .join('');
}

/** At most `width` values, each the mean of its share of them. */
function squeezed(values: readonly Maybe[], width: number): (number | null)[] {
  const parts = Math.min(width, values.length);
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * values.length) / parts);
    const to = Math.floor(((part + 1) * values.length) / parts);
    const known = values.slice(from, to).filter((value) => value !== null && value !== undefined);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

/** Text from outside on one line: nothing in it steers the terminal. */
export function plain(text: string): string {
  return visible(text.replace(/\s+/g, ' ').trim());
}

/** Exactly `width` characters, the text cut or filled up. */
export function padded(text: string, width: number, right = false): string {
  const points = [...text];
  if (points.length > width)
    return width < 1 ? '' : width === 1 ? '…' : `${points.slice(0, width - 1).join('')}…`;
  const gap = ' '.repeat(width - points.length);
  return right ? gap + text : text + gap;
}

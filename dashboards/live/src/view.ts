/**
 * What the viewer looks at, and its form in the address: who is sent the address sees the same. Pure; what is not valid
 * in an address is left out rather than refused, because addresses are edited and cut by hand.
 */

export const RANGES = ['5m', '1h', '24h', '7d', '30d'] as const;
export type Range = (typeof RANGES)[number];

export const LANGUAGES = ['en', 'ru'] as const;
export type Language = (typeof LANGUAGES)[number];

export const THEMES = ['light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const MINUTE = 60_000;
export const RANGE_MS: Readonly<Record<Range, number>> = {
  '5m': 5 * MINUTE,
  '1h': 60 * MINUTE,
  '24h': 1_440 * MINUTE,
  '7d': 7 * 1_440 * MINUTE,
  '30d': 30 * 1_440 * MINUTE,
};

/** A period that stands still, half-open, ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What of the event feed is shown; empty: no condition. */
export interface FeedFilter {
  readonly types: readonly string[];
  readonly statuses: readonly string[];
  readonly correlation: string;
  /** Decimal digits. */
  readonly customer: string;
  /** Looked for in the masked error messages. */
  readonly text: string;
}

export interface View {
  readonly range: Range;
  /** Null: `range`, up to now. */
  readonly zoom: Span | null;
  readonly feed: FeedFilter;
  /** Id of the row whose details are open. */
  readonly open: string | null;
  /** Null: as the browser says. */
  readonly lang: Language | null;
  readonly theme: Theme | null;
  /** For a screen on the wall: larger, nothing to operate. */
  readonly kiosk: boolean;
}

export const NO_FILTER: FeedFilter = { types: [], statuses: [], correlation: '', customer: '', text: '' };

export const DEFAULT_VIEW: View = {
  range: '1h',
  zoom: null,
  feed: NO_FILTER,
  open: null,
  lang: null,
  theme: null,
  kiosk: false,
};

/** An address holds at most this much of one text; the server takes no more of most. */
const TEXT_AT_MOST = 200;

/** @param query as location.search */
export function parseView(query: string): View {
  const params = new URLSearchParams(query);
  const text = (name: string): string => (params.get(name) ?? '').trim().slice(0, TEXT_AT_MOST);
  const list = (name: string): string[] => [
    ...new Set(
      text(name)
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== ''),
    ),
  ];
  const customer = text('customer');
  const open = text('open');
  return {
    range: oneOf(RANGES, params.get('range')) ?? DEFAULT_VIEW.range,
    zoom: parseSpan(params.get('from'), params.get('to')),
    feed: {
      types: list('type'),
      statuses: list('status'),
      correlation: text('correlation'),
      customer: /^-?\d+$/.test(customer) ? customer : '',
      text: text('text'),
    },
    open: /^-?\d+$/.test(open) ? open : null,
    lang: oneOf(LANGUAGES, params.get('lang')),
    theme: oneOf(THEMES, params.get('theme')),
    kiosk: params.has('kiosk') && params.get('kiosk') !== '0',
  };
}

/** @returns '' or `?...`; what is as by default is left out */
export function formatView(view: View): string {
  const params: [string, string][] = [];
  const put = (name: string, value: string | null): void => {
    if (value !== null && value !== '') params.push([name, value]);
  };
  put('range', view.range === DEFAULT_VIEW.range ? null : view.range);
  put('from', view.zoom && new Date(view.zoom.from).toISOString());
  put('to', view.zoom && new Date(view.zoom.to).toISOString());
  put('type', view.feed.types.join(','));
  put('status', view.feed.statuses.join(','));
  put('correlation', view.feed.correlation);
  put('customer', view.feed.customer);
  put('text', view.feed.text);
  put('open', view.open);
  put('lang', view.lang);
  put('theme', view.theme);
  // Colons and commas may stand in a query as they are; the address stays readable.
  const pairs = params.map(([name, value]) => `${name}=${readable(encodeURIComponent(value))}`);
  if (view.kiosk) pairs.push('kiosk');
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function readable(encoded: string): string {
  return encoded.replaceAll('%3A', ':').replaceAll('%2C', ',');
}

function parseSpan(from: string | null, to: string | null): Span | null {
  if (from === null || to === null) return null;
  const span = { from: Date.parse(from), to: Date.parse(to) };
  return span.from < span.to ? span : null;
}

function oneOf<T extends string>(allowed: readonly T[], value: string | null): T | null {
  return allowed.find((one) => one === value) ?? null;
}

/** The language of a browser that prefers these, the first one first. */
export function languageOf(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const found = oneOf(LANGUAGES, tag.split('-')[0]?.toLowerCase() ?? '');
    if (found !== null) return found;
  }
  return 'en';
}

/** The viewer's own variety of a language (`en-GB`), so that numbers and times are written as at home. */
export function localeOf(language: Language, preferred: readonly string[]): string {
  return preferred.find((tag) => tag.split('-')[0]?.toLowerCase() === language) ?? language;
}

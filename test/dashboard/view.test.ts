import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_VIEW,
  formatView,
  LANGUAGES,
  languageOf,
  localeOf,
  parseView,
  RANGES,
  THEMES,
  type View,
} from '../../dashboards/live/src/view.js';

const word = fc.stringMatching(/^[a-z0-9_]{1,20}$/);
const digits = fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String);
const text = fc
  .string({ unit: 'grapheme', maxLength: 60 })
  .map((value) => value.trim())
  .filter((value) => value.length <= 200);

const views: fc.Arbitrary<View> = fc.record({
  range: fc.constantFrom(...RANGES),
  zoom: fc.option(
    fc
      .tuple(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 1e10 }))
      .map(([from, length]) => ({ from, to: from + length })),
  ),
  feed: fc.record({
    types: fc.uniqueArray(word, { maxLength: 5 }),
    statuses: fc.uniqueArray(word, { maxLength: 5 }),
    correlation: text,
    customer: fc.oneof(fc.constant(''), digits),
    text,
  }),
  open: fc.option(digits),
  lang: fc.option(fc.constantFrom(...LANGUAGES)),
  theme: fc.option(fc.constantFrom(...THEMES)),
  kiosk: fc.boolean(),
});

describe('the view in the address', () => {
  it('is the same for whoever is sent it', () => {
    fc.assert(
      fc.property(views, (view) => {
        expect(parseView(formatView(view))).toEqual(view);
      }),
    );
  });

  it('leaves out what is as by default, and can be read', () => {
    expect(formatView(DEFAULT_VIEW)).toBe('');
    const feed = { ...DEFAULT_VIEW.feed, types: ['export_to_1c', 'created'], text: 'a&b' };
    const zoom = { from: Date.UTC(2026, 0, 1, 3), to: Date.UTC(2026, 0, 1, 4) };
    expect(formatView({ ...DEFAULT_VIEW, range: '24h', zoom, feed, kiosk: true })).toBe(
      '?range=24h&from=2026-01-01T03:00:00.000Z&to=2026-01-01T04:00:00.000Z&type=export_to_1c,created&text=a%26b&kiosk',
    );
  });

  it.each([
    '?range=2h&lang=de&theme=blue',
    '?from=2026-01-01T00:00:00Z',
    '?from=2026-01-02&to=2026-01-01',
    '?from=yesterday&to=now',
    '?customer=12a&open=x',
    '?type=,%20,&status=',
    '?kiosk=0',
    '?anything=else',
  ])('does without what is not valid: %s', (query) => {
    expect(parseView(query)).toEqual(DEFAULT_VIEW);
  });

  it('makes of any address one that says the same', () => {
    const name = fc.constantFrom(
      'range',
      'from',
      'to',
      'type',
      'status',
      'customer',
      'text',
      'open',
      'kiosk',
    );
    const value = fc.oneof(
      text,
      digits,
      fc.constantFrom('2026', '+275760-09-13', '-271821-04-20', ',,', '%', '%zz'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
        const view = parseView(`?${pairs.map(([key, of]) => `${key}=${of}`).join('&')}`);
        expect(parseView(formatView(view))).toEqual(view);
      }),
    );
  });

  it('holds no more of a text than the monitor takes', () => {
    expect(parseView(`?text=${'x'.repeat(5_000)}`).feed.text).toHaveLength(200);
  });
});

describe('the language', () => {
  it.each([
    [['ru-RU', 'en'], 'ru', 'ru-RU'],
    [['de-DE', 'ru', 'en-GB'], 'ru', 'ru'],
    [['de-DE', 'en-GB', 'ru'], 'en', 'en-GB'],
    [['de', 'fr'], 'en', 'en'],
    [[], 'en', 'en'],
    [['RU-ru'], 'ru', 'RU-ru'],
  ] as const)('of %j is %s, written as in %s', (preferred, language, locale) => {
    expect(languageOf(preferred)).toBe(language);
    expect(localeOf(language, preferred)).toBe(locale);
  });
});

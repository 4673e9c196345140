import { describe, expect, it } from 'vitest';
import { chooseFormat, expose, type Family } from '../../src/http/exposition.js';

const counter: Family = {
  name: 'sync_things_total',
  help: 'A "quoted" help\nof two lines and a \\.',
  type: 'counter',
  samples: [{ labels: { kind: 'a' }, value: 3 }],
};

const histogram: Family = {
  name: 'sync_duration_seconds',
  help: 'Durations.',
  type: 'histogram',
  samples: [
    {
      labels: { le: '1' },
      value: 1,
      suffix: '_bucket',
      exemplar: { labels: { correlation_id: 'c"1' }, value: 0.25, timestampSeconds: 1_700_000_000.5 },
    },
    { labels: { le: '+Inf' }, value: 1, suffix: '_bucket' },
    { labels: {}, value: 0.25, suffix: '_sum' },
    { labels: {}, value: 1, suffix: '_count' },
  ],
};

describe('the Prometheus form', () => {
  it('keeps names, leaves exemplars out', () => {
    expect(expose([counter, histogram], 'prometheus')).toBe(
      [
        '# HELP sync_things_total A "quoted" help\\nof two lines and a \\\\.',
        '# TYPE sync_things_total counter',
        'sync_things_total{kind="a"} 3',
        '# HELP sync_duration_seconds Durations.',
        '# TYPE sync_duration_seconds histogram',
        'sync_duration_seconds_bucket{le="1"} 1',
        'sync_duration_seconds_bucket{le="+Inf"} 1',
        'sync_duration_seconds_sum 0.25',
        'sync_duration_seconds_count 1',
        '',
      ].join('\n'),
    );
  });

  it('escapes what labels may hold', () => {
    const hostile = 'quote " backslash \\ newline \n return \r tab \t Ω 💥 {}=,#';
    const text = expose([{ ...counter, samples: [{ labels: { kind: hostile }, value: 1 }] }], 'prometheus');
    expect(text).toContain('{kind="quote \\" backslash \\\\ newline \\n return \r tab \t Ω 💥 {}=,#"} 1\n');
  });

  it('writes values that are no ordinary numbers', () => {
    const values = [0, -1.5, 1e21, 2 ** 53, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
    const samples = values.map((value, index) => ({ labels: { i: String(index) }, value }));
    const lines = expose([{ ...counter, samples }], 'prometheus')
      .trimEnd()
      .split('\n')
      .slice(2);
    expect(lines.map((line) => line.split(' ').at(-1))).toEqual([
      '0',
      '-1.5',
      '1e+21',
      '9007199254740992',
      '+Inf',
      '-Inf',
      'NaN',
    ]);
  });

  it('calls an unknown type untyped', () => {
    expect(expose([{ ...counter, type: 'unknown' }], 'prometheus')).toContain(
      '# TYPE sync_things_total untyped\n',
    );
  });
});

describe('the OpenMetrics form', () => {
  it('names the counter family without its suffix, writes exemplars and the end', () => {
    expect(expose([counter, histogram], 'openmetrics')).toBe(
      [
        '# HELP sync_things A \\"quoted\\" help\\nof two lines and a \\\\.',
        '# TYPE sync_things counter',
        'sync_things_total{kind="a"} 3',
        '# HELP sync_duration_seconds Durations.',
        '# TYPE sync_duration_seconds histogram',
        'sync_duration_seconds_bucket{le="1.0"} 1 # {correlation_id="c\\"1"} 0.25 1700000000.5',
        'sync_duration_seconds_bucket{le="+Inf"} 1',
        'sync_duration_seconds_sum 0.25',
        'sync_duration_seconds_count 1',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it('leaves an exemplar out that is longer than the 128 characters the specification allows', () => {
    const of = (id: string): string => {
      const exemplar = { labels: { correlation_id: id }, value: 1, timestampSeconds: 1 };
      return expose([{ ...histogram, samples: [{ labels: {}, value: 1, exemplar }] }], 'openmetrics');
    };
    expect(of('x'.repeat(128 - 'correlation_id'.length))).toContain(' # {');
    expect(of('x'.repeat(129 - 'correlation_id'.length))).not.toContain(' # {');
  });

  it('can follow the Prometheus form and precede it', () => {
    const before = expose([counter], 'prometheus');
    expose([counter], 'openmetrics');
    expect(expose([counter], 'prometheus')).toBe(before);
  });
});

describe('the form is chosen by the Accept header', () => {
  it.each([
    [undefined, 'prometheus'],
    ['', 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/plain', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'],
    ['Application/OpenMetrics-Text; version=1.0.0', 'openmetrics'],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
    ['application/openmetrics-text;q=0, text/plain', 'prometheus'],
    ['application/openmetrics-text;q=nonsense', 'prometheus'],
    [';;;,,,q=', 'prometheus'],
  ])('%s: %s', (accept, format) => {
    expect(chooseFormat(accept)).toBe(format);
  });
});

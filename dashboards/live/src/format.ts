/**
 * How values are written, in the viewer's locale and time zone. There is no way to write "nothing" here on purpose: a
 * null is shown by <Value>, and never as 0.
 */

export interface Format {
  /** BCP 47. */
  readonly locale: string;
  count(n: number): string;
  /** At most two decimals. */
  number(n: number): string;
  /** Of a value in percent, at most two decimals, as the API rounds them. */
  percent(value: number): string;
  millis(ms: number): string;
  /** A length of time in one unit, whole but for hours. */
  span(seconds: number): string;
  /** Time of the day with seconds. */
  time(ms: number): string;
  /** Time of the day, with the date where it is not that of `now`. */
  moment(ms: number, now: number): string;
  /** From one time to another, with their dates. */
  period(from: number, to: number): string;
  /** Date and time with milliseconds, for details. */
  exact(ms: number): string;
  /** Relative difference with its sign; null where there is nothing to relate to. */
  change(now: number, before: number): string | null;
  /** Difference of two percentages in percentage points, with its sign, without a unit. */
  points(now: number, before: number): string;
}

/** @param zone an IANA name; undefined: the viewer's */
export function formatOf(locale: string, zone?: string): Format {
  const numbers = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options);
  const dates = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { hourCycle: 'h23', timeZone: zone, ...options });
  const unit = (name: string, digits: number) =>
    numbers({ style: 'unit', unit: name, unitDisplay: 'narrow', maximumFractionDigits: digits });

  const whole = numbers({ maximumFractionDigits: 0 });
  const fine = numbers({ maximumFractionDigits: 2 });
  const percents = numbers({ style: 'percent', maximumFractionDigits: 2 });
  const signed = numbers({ style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' });
  const signedFine = numbers({ maximumFractionDigits: 2, signDisplay: 'exceptZero' });
  const ms = unit('millisecond', 0);
  const seconds = unit('second', 2);
  const minutes = unit('minute', 2);
  const wholeSeconds = unit('second', 0);
  const wholeMinutes = unit('minute', 0);
  const hours = unit('hour', 1);
  const days = unit('day', 0);
  const clock = dates({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const day = dates({ year: 'numeric', month: '2-digit', day: '2-digit' });
  const dated = dates({ month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
  const minute = dates({
    ...{ year: 'numeric', month: 'short', day: 'numeric' },
    ...{ hour: '2-digit', minute: '2-digit' },
  });
  const full = dates({
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 },
  });

  return {
    locale,
    count: (n) => whole.format(n),
    number: (n) => fine.format(n),
    // Multiples of a hundredth of a percent: 4.35 / 100 alone is 0.043499999999999997.
    percent: (value) => percents.format(Math.round(value * 100) / 10_000),
    millis: (n) =>
      Math.round(n) < 1_000
        ? ms.format(n)
        : n < 60_000
          ? seconds.format(n / 1_000)
          : minutes.format(n / 60_000),
    span: (n) => {
      if (n < 60) return wholeSeconds.format(Math.floor(Math.max(0, n)));
      if (n < 3_600) return wholeMinutes.format(Math.floor(n / 60));
      return n < 172_800 ? hours.format(Math.floor(n / 360) / 10) : days.format(Math.floor(n / 86_400));
    },
    time: (at) => clock.format(at),
    moment: (at, now) => (day.format(at) === day.format(now) ? clock.format(at) : dated.format(at)),
    period: (from, to) => minute.formatRange(from, to),
    exact: (at) => full.format(at),
    change: (now, before) => {
      if (before === 0) return null;
      // Thousands of percent say less than a factor does.
      return now / before >= 10 ? `×${whole.format(now / before)}` : signed.format(now / before - 1);
    },
    points: (now, before) => signedFine.format(Math.round((now - before) * 100) / 100),
  };
}

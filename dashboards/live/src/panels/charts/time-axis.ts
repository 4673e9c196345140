/** How moments are written below a chart, in the viewer's locale and zone. Pure. */

const MINUTE = 60_000;
const DAY = 86_400_000;

export type TimeAxis = (moments: readonly number[], stepMs: number) => string[];

/** @param zone an IANA name; undefined: the viewer's */
export function timeAxis(locale: string, zone?: string): TimeAxis {
  const dates = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { hourCycle: 'h23', timeZone: zone, ...options });
  const seconds = dates({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const minutes = dates({ hour: '2-digit', minute: '2-digit' });
  const day = dates({ day: 'numeric', month: 'short' });
  return (moments, stepMs) =>
    moments.map((at, i) => {
      if (stepMs >= DAY) return day.format(at);
      const before = moments[i - 1];
      // Where a day begins its date says more than its midnight.
      if (before !== undefined && day.format(before) !== day.format(at)) return day.format(at);
      return (stepMs < MINUTE ? seconds : minutes).format(at);
    });
}

/** The last millisecond that a Date can hold, in both directions (ECMA-262, 21.4.1.1). */
const LAST_DATE_MS = 8.64e15;

// Events come in the order of time, mostly many to a second; formatting a date is what making an event costs most.
let second = Number.NaN;
let upToSecond = '';

/**
 * A time in ms of the Unix epoch as ISO 8601 UTC, with microseconds where it has any.
 * Null for Postgres' infinities and for the years beyond 275,760, which a Date cannot hold.
 */
export function isoOf(time: number): string | null {
  const whole = Math.floor(time);
  if (!(Math.abs(whole) <= LAST_DATE_MS)) return null;
  const inSecond = Math.floor(whole / 1000);
  if (inSecond !== second) {
    upToSecond = new Date(inSecond * 1000).toISOString().slice(0, -4);
    second = inSecond;
  }
  const iso = upToSecond + String(whole - inSecond * 1000).padStart(3, '0');
  // A double holds today's milliseconds to about a quarter of a microsecond.
  const micros = Math.min(999, Math.round((time - whole) * 1000));
  return micros === 0 ? `${iso}Z` : `${iso}${String(micros).padStart(3, '0')}Z`;
}

/** The last millisecond that a Date can hold, in both directions (ECMA-262, 21.4.1.1). */
const LAST_DATE_MS = 8.64e15;

/**
 * A time in ms of the Unix epoch as ISO 8601 UTC, with microseconds where it has any.
 * Null for Postgres' infinities and for the years beyond 275,760, which a Date cannot hold.
 */
export function isoOf(time: number): string | null {
  const whole = Math.floor(time);
  if (!(Math.abs(whole) <= LAST_DATE_MS)) return null;
  const iso = new Date(whole).toISOString();
  if (whole === time) return iso;
  // A double holds today's milliseconds to about a quarter of a microsecond.
  const micros = Math.min(999, Math.round((time - whole) * 1000));
  return micros === 0 ? iso : `${iso.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

/** How values are written. Nothing (null) is a dash; it is never 0. */
const DASH = '–';
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

const orDash = (write) => (value) => (value === null || value === undefined ? DASH : write(value));

export const count = orDash((value) => whole.format(value));
export const number = orDash((value) => fine.format(value));
export const percent = orDash((value) => `${fine.format(value)} %`);
export const text = orDash((value) => String(value));
export const time = orDash((iso) => clock.format(new Date(iso)));

export const millis = orDash((value) => {
  if (value < 1_000) return `${whole.format(value)} ms`;
  return value < 60_000 ? `${fine.format(value / 1_000)} s` : `${fine.format(value / 60_000)} min`;
});

export const age = orDash((seconds) => {
  if (seconds < 60) return `${whole.format(seconds)} s`;
  if (seconds < 3_600) return `${whole.format(seconds / 60)} min`;
  return seconds < 172_800 ? `${fine.format(seconds / 3_600)} h` : `${whole.format(seconds / 86_400)} d`;
});

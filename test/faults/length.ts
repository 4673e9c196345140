/** `npm run test:faults` runs each scenario in its long form, `npm test` in its short one. */
export const LONG = process.env.FAULTS === 'long';

/** Of a scenario: how often, how many. */
export function byLength<T>(short: T, long: T): T {
  return LONG ? long : short;
}

/** An answer as dashboards/API.md shows it, shortened and laid out, and whether another one still has its keys. */
import type { Described } from './described.js';

/** Stands in the document for what was left out. */
export const MORE = '...';
const ENTRIES = 2;
const COLUMNS = 110;

/** The first two of what there may be any number of; `depth`: below it, nothing is shown. */
export function shortened(value: unknown, described: Described, depth = Number.POSITIVE_INFINITY): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return MORE;
  if (Array.isArray(value)) {
    const shown = value.slice(0, ENTRIES).map((one) => shortened(one, described.item, depth - 1));
    return value.length > ENTRIES ? [...shown, `${MORE} ${value.length - ENTRIES} more`] : shown;
  }
  const entries = Object.entries(value);
  const kept = described.isMap ? entries.slice(0, ENTRIES) : entries;
  const shown = kept.map(([key, one]) => [key, shortened(one, described.key(key), depth - 1)] as const);
  const rest = entries.length - kept.length;
  return Object.fromEntries(rest > 0 ? [...shown, [MORE, `${rest} more`]] : shown);
}

/** JSON with a line for each key, but for what fits into one line. */
export function laidOut(value: unknown, indent = ''): string {
  const oneLine = JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');
  if (typeof value !== 'object' || value === null || indent.length + oneLine.length <= COLUMNS)
    return oneLine;
  const deeper = `${indent}  `;
  if (Array.isArray(value))
    return `[\n${value.map((one) => deeper + laidOut(one, deeper)).join(',\n')}\n${indent}]`;
  const lines = Object.entries(value).map(
    ([key, one]) => `${deeper}${JSON.stringify(key)}: ${laidOut(one, deeper)}`,
  );
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

/** Keys that only one of the two has although the description wants them in both; `where` names the place. */
export function differences(
  shown: unknown,
  answered: unknown,
  described: Described,
  where = 'answer',
): string[] {
  if (!isObject(shown) || !isObject(answered)) return [];
  if (Array.isArray(shown) || Array.isArray(answered)) {
    if (!Array.isArray(shown) || !Array.isArray(answered)) return [`${where}: only one is an array`];
    const [one, other] = [shown[0], answered[0]];
    return differences(one, other, described.item, `${where}[0]`);
  }
  if (described.isMap) {
    const common = Object.keys(shown).filter((key) => key in answered);
    return common.flatMap((key) =>
      differences(shown[key], answered[key], described.key(key), `${where}.${key}`),
    );
  }
  const keys = new Set([...Object.keys(shown), ...Object.keys(answered)]);
  return [...keys].flatMap((key) => {
    if (key in shown && key in answered)
      return differences(shown[key], answered[key], described.key(key), `${where}.${key}`);
    if (described.mayLack(key)) return [];
    return [`${where}.${key} is only in ${key in shown ? 'the document' : 'the answer'}`];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Kinds of settings: how each is parsed, and what its allowed range is called. */

export interface Setting<T> {
  readonly fallback: T;
  /** What is allowed, for messages and tables. */
  readonly range: string;
  readonly help: string;
  /** Its value is never shown. */
  readonly secret: boolean;
  /** @throws SettingError for a value outside the range. */
  readonly parse: (value: string) => T;
}

/** A value outside its range; the caller names the setting, its value and the range. */
export class SettingError extends Error {}

interface Words {
  readonly help: string;
  readonly secret?: boolean;
}

const PLAIN = { secret: false };

/** Not set means null instead of the kind's own default. */
export function optional<T>(setting: Setting<T>): Setting<T | null> {
  return { ...setting, fallback: null };
}

/** Any text that has no control characters. */
export function text(fallback: string, words: Words): Setting<string> {
  return {
    ...PLAIN,
    ...words,
    fallback,
    range: 'text without control characters',
    parse(value) {
      if (/\p{Cc}/u.test(value)) throw new SettingError();
      return value;
    },
  };
}

/** Several tokens, in one line or, as a file may hold them, in several. */
export function tokens(words: Omit<Words, 'secret'>): Setting<string> {
  return {
    ...words,
    secret: true,
    fallback: '',
    range: 'visible characters; several separated by spaces or line ends',
    parse(value) {
      const found = value.split(/\s+/).filter((token) => token !== '');
      if (found.length === 0 || /[^\s\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(value)) throw new SettingError();
      return found.join(' ');
    },
  };
}

/** An address of one of these schemes. */
export function url(schemes: readonly string[], words: Words): Setting<string> {
  return {
    ...PLAIN,
    ...words,
    fallback: '',
    range: `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    parse(value) {
      const known = schemes.some((scheme) => value.startsWith(`${scheme}://`));
      if (!known || !URL.canParse(value)) throw new SettingError();
      return value;
    },
  };
}

/** Several addresses of these schemes, separated by blanks. */
export function urls(schemes: readonly string[], words: Words): Setting<readonly string[]> {
  const one = url(schemes, words);
  return {
    ...one,
    fallback: [],
    range: `${one.range}; several separated by spaces`,
    parse: (value) => value.split(/\s+/).map((part) => one.parse(part)),
  };
}

/** Names separated by blanks or commas; any, or those that are `known`. */
export function names(
  fallback: readonly string[],
  words: Words,
  known?: readonly string[],
): Setting<readonly string[]> {
  return {
    ...PLAIN,
    ...words,
    fallback,
    range: known
      ? `any of ${known.join(', ')}; separated by spaces or commas`
      : 'names separated by spaces or commas',
    parse(value) {
      const found = value.split(/[\s,]+/).filter((name) => name !== '');
      const may = (name: string) => (known ? known.includes(name) : /^[\w.:-]{1,100}$/.test(name));
      if (found.length === 0 || !found.every(may)) throw new SettingError();
      return found;
    },
  };
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
  readonly unit?: string;
}

/** A number between two others, both allowed. */
export function number(
  fallback: number,
  { min, max, whole, unit, ...words }: Range & Words,
): Setting<number> {
  const measure = unit ? ` (${unit})` : '';
  return {
    ...PLAIN,
    ...words,
    fallback,
    range: `${whole ? 'a whole number' : 'a number'} from ${min} to ${max}${measure}`,
    parse(value) {
      const parsed = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
      if (!(parsed >= min && parsed <= max) || (whole && !Number.isInteger(parsed))) throw new SettingError();
      return parsed;
    },
  };
}

/** One of these words; the first is the default. */
export function choice<const T extends string>(choices: readonly [T, ...T[]], words: Words): Setting<T> {
  return {
    ...PLAIN,
    ...words,
    fallback: choices[0],
    range: choices.join(', '),
    parse(value) {
      const found = choices.find((word) => word === value.toLowerCase());
      if (found === undefined) throw new SettingError();
      return found;
    },
  };
}

const YES = ['true', '1', 'yes', 'on'];
const NO = ['false', '0', 'no', 'off'];

export function flag(fallback: boolean, words: Words): Setting<boolean> {
  return {
    ...PLAIN,
    ...words,
    fallback,
    range: 'true or false',
    parse(value) {
      const word = value.toLowerCase();
      if (!YES.includes(word) && !NO.includes(word)) throw new SettingError();
      return YES.includes(word);
    },
  };
}

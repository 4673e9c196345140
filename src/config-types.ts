/** Kinds of settings: how each is parsed, and what its allowed range is called. */

export interface Setting<T> {
  readonly fallback: T;
  /** What is allowed, for messages and tables. */
  readonly range: string;
  readonly help: string;
  /** Its value is never shown. */
  readonly secret: boolean;
  readonly unit?: string;
  /** @throws SettingError for a value outside the range. */
  readonly parse: (value: string) => T;
}

/** A value outside its range; the caller names the setting, its value and the range. */
export class SettingError extends Error {}

interface Words {
  readonly help: string;
  readonly secret?: boolean;
}

/** Not set means null instead of the kind's own default. */
export function optional<T>(setting: Setting<T>): Setting<T | null> {
  return { ...setting, fallback: null };
}

/** Any text that has no control characters. */
export function text(fallback: string, words: Words): Setting<string> {
  return {
    secret: false,
    ...words,
    fallback,
    range: 'text without control characters',
    parse(value) {
      if (/\p{Cc}/u.test(value)) throw new SettingError();
      return value;
    },
  };
}

/** An address of one of these schemes. */
export function url(schemes: readonly string[], words: Words): Setting<string> {
  return {
    secret: false,
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

interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
  readonly unit?: string;
}

/** A number between two others, both allowed. */
export function number(fallback: number, { min, max, whole, ...words }: Range & Words): Setting<number> {
  const unit = words.unit ? ` (${words.unit})` : '';
  return {
    secret: false,
    ...words,
    fallback,
    range: `${whole ? 'a whole number' : 'a number'} from ${min} to ${max}${unit}`,
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
    secret: false,
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
    secret: false,
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

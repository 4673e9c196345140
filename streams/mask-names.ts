/**
 * Values after name keys: `name: Ivan`, `fio=...`, `"ФИО": "..."`, `(name)=(...)`, `<name>...`. One walk forward; each
 * character is looked at a bounded number of times.
 */
import { MASK } from './mask-digits.js';

// The spellings of people's names that occur in the portal and in 1C; `_name` and `Name` endings are found as well.
const KEYS = /(?:sur|full|first|last|middle|user|nick)?name|fio|фио|фамилия|имя|отчество/giu;
const SPACE = /\s/u;
const UPPER = /\p{Lu}/u;
const WORD = /[\p{L}\p{N}_]/u;

// What ends a value without quotes. A comma is judged by what follows it.
const ENDS = new Set('\n\r;|}]<>&"');
const CLOSING: Readonly<Record<string, string>> = {
  '(': ')',
  '[': ']',
  '{': '}',
  '«': '»',
  '“': '”',
  '„': '“',
};

/** The text with the values after name keys replaced; the keys stay. */
export function maskNames(text: string): string {
  let out = '';
  let copied = 0;
  KEYS.lastIndex = 0;
  for (const match of text.matchAll(KEYS)) {
    if (match.index < copied || !isKey(text, match.index, match[0])) continue;
    const start = valueStart(text, match.index, match.index + match[0].length);
    if (start < 0) continue;
    const { from, to } = valueRange(text, start);
    if (to <= from) continue;
    out += text.slice(copied, from) + MASK;
    copied = to;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** Whether the word found is the whole key, or its last part (`first_name`, `customerName`). */
function isKey(text: string, start: number, word: string): boolean {
  const before = charBefore(text, start);
  if (before === '' || before === '_' || !WORD.test(before)) return true;
  return UPPER.test(word.charAt(0)) && !UPPER.test(before);
}

function charBefore(text: string, at: number): string {
  const code = text.charCodeAt(at - 1);
  // A low surrogate: the letter has two units.
  return code >= 0xdc00 && code <= 0xdfff ? text.slice(at - 2, at) : text.charAt(at - 1);
}

/** Where the value begins, quotes included, or -1 where this is no key. */
function valueStart(text: string, keyStart: number, keyEnd: number): number {
  let at = keyEnd;
  while (text.charAt(at) === '\\') at += 1;
  if (`"'\`)`.includes(text.charAt(at)) && at < text.length) at += 1;
  if (text.charAt(at) === '>' && text.charAt(keyStart - 1) === '<') return at + 1;
  at = skipSpace(text, at);
  const separator = text.charAt(at);
  if (separator !== ':' && separator !== '=') return -1;
  at += 1;
  // `:=`, `=>`, `==`.
  if ('=>'.includes(text.charAt(at)) && at < text.length) at += 1;
  return skipSpace(text, at);
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && SPACE.test(text.charAt(at))) at += 1;
  return at;
}

function valueRange(text: string, start: number): { from: number; to: number } {
  let at = start;
  while (text.charAt(at) === '\\') at += 1;
  const opening = text.charAt(at);
  if (opening === '"' || opening === "'" || opening === '`') {
    return { from: at + 1, to: quotedEnd(text, at + 1, opening, at - start) };
  }
  const closing = CLOSING[opening];
  if (closing !== undefined) {
    const end = text.indexOf(closing, at + 1);
    return { from: at + 1, to: end < 0 ? text.length : end };
  }
  return { from: start, to: plainEnd(text, start) };
}

/** The quote that closes: it has as many backslashes before it as the one that opened. */
function quotedEnd(text: string, start: number, quote: string, backslashes: number): number {
  let run = 0;
  for (let at = start; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') {
      run += 1;
      continue;
    }
    if (char === quote && run === backslashes) return at - run;
    run = 0;
  }
  return text.length;
}

/** A value without quotes ends at a delimiter, or before the next key (`name: Ivan status=error`). */
function plainEnd(text: string, start: number): number {
  let gap = -1;
  for (let at = start; at < text.length; at++) {
    const char = text.charAt(at);
    if (ENDS.has(char)) return trimmed(text, start, at);
    if (char === ',') {
      // `Ivanov, Ivan` is one name; `name=Ivan, code 500` is not.
      const next = skipSpace(text, at + 1);
      if (!UPPER.test(text.charAt(next))) return trimmed(text, start, at);
      gap = at;
    } else if (SPACE.test(char)) {
      gap = at;
    } else if ((char === ':' || char === '=') && gap > start) {
      return trimmed(text, start, gap);
    }
  }
  return trimmed(text, start, text.length);
}

function trimmed(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && SPACE.test(text.charAt(at - 1))) at -= 1;
  return at;
}

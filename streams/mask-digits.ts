/**
 * Phone and tax numbers in a text. A chain is a series of digit groups with at most a few separators between them; what
 * in it makes a number is decided by lengths, never by a backtracking pattern, so that hostile text costs linear time.
 */

export const MASK = '***';

interface Group {
  readonly start: number;
  readonly end: number;
}

const LONGEST_GAP = 3;
const MOST_GROUPS = 7;

// A correlation id is what the reader of a message searches for next, and its last part is often 12 digits.
const UUID = /(?<![\p{L}\p{N}])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\p{L}\p{N}])/giu;

/** The text with phone numbers and with digit runs of 10 or 12 (tax numbers) replaced; UUIDs stay. */
export function maskNumbers(text: string): string {
  let out = '';
  let from = 0;
  for (const uuid of text.matchAll(UUID)) {
    out += maskBetween(text.slice(from, uuid.index)) + uuid[0];
    from = uuid.index + uuid[0].length;
  }
  return out + maskBetween(from === 0 ? text : text.slice(from));
}

function maskBetween(text: string): string {
  let out = '';
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    if (!isDigit(text, at)) {
      at += 1;
      continue;
    }
    const chain = readChain(text, at);
    for (let i = 0; i < chain.length; ) {
      const group = chain[i] as Group;
      const taken = numberAt(text, chain, i);
      if (taken > 0) {
        const start = withPrefix(text, group.start, copied);
        out += text.slice(copied, start) + MASK;
        copied = (chain[i + taken - 1] as Group).end;
      }
      i += Math.max(1, taken);
    }
    at = (chain.at(-1) as Group).end;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

// Space, tab, no-break spaces, hyphens and dashes, dot, parentheses, slash.
const SEPARATORS = new Set(' \t\u00a0\u2007\u2009\u202f-\u2010\u2011\u2012\u2013\u2014\u2212.()/');

function readChain(text: string, start: number): Group[] {
  const chain: Group[] = [];
  let at = start;
  for (;;) {
    let end = at;
    while (isDigit(text, end)) end += 1;
    chain.push({ start: at, end });
    let next = end;
    while (next - end < LONGEST_GAP && SEPARATORS.has(text.charAt(next))) next += 1;
    if (!isDigit(text, next)) return chain;
    at = next;
  }
}

/** How many groups from this one on make a number to be masked; 0 where none do. */
function numberAt(text: string, chain: readonly Group[], first: number): number {
  const lengths: number[] = [];
  for (let i = first; i < chain.length && lengths.length < MOST_GROUPS; i++) {
    const group = chain[i] as Group;
    // A plus begins a number of its own.
    if (lengths.length > 0 && text.charAt(group.start - 1) === '+') break;
    lengths.push(group.end - group.start);
  }
  const { start } = chain[first] as Group;
  const plus = hasPlus(text, start);
  const russian = plus ? text.charAt(start) === '7' : '78'.includes(text.charAt(start));
  if (russian) {
    const taken = groupsOf(lengths, 11, 11);
    if (taken > 0) return taken;
  }
  if (plus) return groupsOf(lengths, 7, 15);
  if (text.startsWith('00', start) && (lengths[0] as number) < 18) {
    const taken = groupsOf(lengths, 9, 17);
    if (taken > 0) return taken;
  }
  const taken = domestic(text, start, lengths);
  if (taken > 0) return taken;
  // A tax number: 10 digits of an organisation, 12 of a person.
  return lengths[0] === 10 || lengths[0] === 12 ? 1 : 0;
}

/** The most leading groups whose digits are together between the bounds. */
function groupsOf(lengths: readonly number[], least: number, most: number): number {
  let digits = 0;
  let taken = 0;
  for (let i = 0; i < lengths.length; i++) {
    digits += lengths[i] as number;
    if (digits > most) break;
    if (digits >= least) taken = i + 1;
  }
  return taken;
}

/** Numbers without a country code: area code and subscriber, or a town's 123-45-67. */
function domestic(text: string, start: number, lengths: readonly number[]): number {
  const shape = (count: number): string => lengths.slice(0, count).join('-');
  if (shape(4) === '3-3-2-2') return 4;
  if (shape(3) === '3-3-4') return 3;
  if (shape(3) === '3-2-2') return 3;
  if (text.charAt(start - 1) !== '(') return 0;
  // An area code in parentheses: (495) 1234567, (4012) 12-34-56.
  const most = groupsOf(lengths, 10, 10);
  return (lengths[0] as number) <= 5 ? most : 0;
}

function hasPlus(text: string, start: number): boolean {
  const before = text.charAt(start - 1);
  if (before === '+') return true;
  return before === '(' && text.charAt(start - 2) === '+';
}

/** Where the number begins with its plus and parenthesis, but not before `floor`. */
function withPrefix(text: string, start: number, floor: number): number {
  let at = start;
  while (at > floor && '+('.includes(text.charAt(at - 1)) && start - at < 2) at -= 1;
  return at;
}

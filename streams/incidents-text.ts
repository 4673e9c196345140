/**
 * Which errors are the same but for their numbers, and what is shown of them. Messages are masked where they are shown;
 * for counting, a cheaper look is enough.
 */
import type { ErrorGroup } from './alert.js';
import type { SyncRow } from './event.js';
import { ERROR_MESSAGE_READ_LIMIT, maskText, SHOWN_LIMIT } from './mask.js';
import { NAME_LENGTH_LIMIT } from './names.js';

const REMEMBERED = 2000;
/** An id of the programs' own making holds nobody's data, however much its digits look like a number's. */
const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
// Without overlap or nesting: a message comes from outside and may be made to hurt.
const WORDS = /[^\s"'(),:;=<>[\]{}|«»]+/g;

export class ErrorTexts {
  // Masking finds the names of people, which would make a group of each; it costs, and most messages come again.
  private readonly known = new Map<string, string>();

  /**
   * The same for errors of one type whose messages differ in numbers, addresses and names only. Null where `full`, and
   * finding out would cost: in a flood of messages that are all different, all new ones are others.
   */
  groupOf(row: SyncRow, full: boolean): string | null {
    const type = row.operationType.slice(0, NAME_LENGTH_LIMIT);
    if (!row.errorMessage) return `${type}\n`;
    const masked = this.masked(withoutNumbers(row.errorMessage.slice(0, SHOWN_LIMIT)), full);
    return masked === null ? null : `${type}\n${masked}`;
  }

  private masked(alike: string, full: boolean): string | null {
    const known = this.known.get(alike);
    if (known !== undefined) return known;
    if (full) return null;
    const masked = maskText(alike);
    if (this.known.size >= REMEMBERED) this.known.clear();
    this.known.set(alike, masked);
    return masked;
  }
}

/** What is shown of an error, masked. */
export function describeError(row: SyncRow): Omit<ErrorGroup, 'count'> {
  const { errorMessage } = row;
  return {
    message: errorMessage
      ? maskText(errorMessage, SHOWN_LIMIT, { truncated: errorMessage.length >= ERROR_MESSAGE_READ_LIMIT })
      : null,
    operation_type: maskText(row.operationType.slice(0, NAME_LENGTH_LIMIT)),
  };
}

/** A correlation id as it may be shown: some writers put a phone number or an address there. */
export function shownId(id: string | null): string | null {
  if (id === null || id === '') return null;
  return UUID.test(id)
    ? id
    : maskText(id.slice(0, SHOWN_LIMIT), NAME_LENGTH_LIMIT, {
        truncated: id.length > SHOWN_LIMIT,
      });
}

function withoutNumbers(text: string): string {
  return text.replace(WORDS, (word) => (word.includes('@') ? '@' : /\d/.test(word) ? '#' : word));
}

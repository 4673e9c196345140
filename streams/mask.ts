/**
 * From a row to what may be shown of it: personal data masked (SPEC section 4), texts bounded, control characters
 * gone, the same everywhere. Every step is a walk forward or an expression without backtracking: an error message comes
 * from outside and may be made to hurt.
 */
import type { BatchTotals, SyncEvent, SyncRow } from './event.js';
import { isoOf } from './iso.js';
import { MASK, maskNumbers } from './mask-digits.js';
import { maskNames } from './mask-names.js';

/** Characters of an error message that are read out of the database; one of that length was cut there. */
export const ERROR_MESSAGE_READ_LIMIT = 4000;
/** Characters (code points) of a text that is shown. */
export const SHOWN_LIMIT = 200;

// No local part of an e-mail (64) with its domain (255) is longer, so no rest of one survives the cut.
const LONGEST_WORD = 320;

/** Letters, digits and what else stands before the @ without quotes (RFC 5322 atext, less `=` and `/`). */
const LOCAL = /[\p{L}\p{N}\p{M}.!#$%&'*+?^_`{|}~-]/u;
const DOMAIN = /[\p{L}\p{N}\p{M}.-]/u;
const WORD = /[\p{L}\p{N}]/u;

/** One word of the programs' own: no value can stand behind a key in it, no number, no address. */
const PLAIN_WORD = /^[A-Za-z_]{1,64}$/;

export interface MaskOptions {
  /** The text was cut somewhere before: its last word may be half an address, and is dropped. */
  readonly truncated?: boolean;
}

/**
 * The text without control characters, its personal data masked, then cut to `limit` code points.
 */
export function maskText(text: string, limit = SHOWN_LIMIT, options: MaskOptions = {}): string {
  // What most rows carry, `data_import` or `tax_id`, is nobody's data and needs none of the walks.
  if (text.length <= limit && PLAIN_WORD.test(text)) return text;
  const whole = options.truncated === true ? withoutLastWord(text) : text;
  // Line ends survive until the names are found: a value ends there.
  const masked = maskNumbers(maskEmails(maskNames(withoutControls(whole))));
  return cut(masked.replace(/[\r\n]/g, ' '), limit);
}

/** `ivan@example.com` as `i***@e***.com`; what is no address becomes `***`. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 0) return email === '' ? '' : MASK;
  return withoutControls(maskAddress(email.slice(0, at), email.slice(at + 1)));
}

interface Words {
  readonly text: typeof maskText;
  readonly email: (email: string) => string;
}

const MASKED: Words = { text: maskText, email: maskEmail };
const IN_CLEAR: Words = {
  text: (text, limit = SHOWN_LIMIT) => cut(withoutControls(text).replace(/[\r\n]/g, ' '), limit),
  email: (email) => bounded(withoutControls(email)),
};

/** The event of a row, personal data masked. */
export function toEvent(row: SyncRow): SyncEvent {
  return eventOf(row, MASKED);
}

/** The event of a row with personal data in clear, for whoever may see it; bounded and without control characters too. */
export function toClearEvent(row: SyncRow): SyncEvent {
  return eventOf(row, IN_CLEAR);
}

function eventOf(row: SyncRow, { text, email }: Words): SyncEvent {
  const { errorMessage } = row;
  return {
    id: row.id,
    operation_type: bounded(row.operationType),
    status: bounded(row.status),
    customer_id: row.customerId,
    customer_email: row.customerEmail === null ? null : email(row.customerEmail),
    onec_id: row.onecId === null ? null : bounded(row.onecId),
    duration_ms: row.durationMs,
    correlation_id: row.correlationId === null ? null : bounded(row.correlationId),
    created_at: createdAtIso(row.createdAt),
    error_message:
      errorMessage === null
        ? null
        : text(errorMessage, SHOWN_LIMIT, { truncated: errorMessage.length >= ERROR_MESSAGE_READ_LIMIT }),
    conflict_source: row.conflictSource === null ? null : text(row.conflictSource),
    identification_method: row.identificationMethod === null ? null : text(row.identificationMethod),
    batch: row.batch === null ? null : batchOf(row.batch, text),
  };
}

/** A created_at in ms as ISO 8601 UTC; null for Postgres' infinities (and beyond the year 275,760). */
export function createdAtIso(createdAt: number): string | null {
  return isoOf(createdAt);
}

function batchOf(batch: BatchTotals, text: Words['text']): BatchTotals {
  return { ...batch, operation_name: batch.operation_name === null ? null : text(batch.operation_name) };
}

/** Identifiers are shown as they are, as far as their length is sane. */
function bounded(text: string): string {
  return text.length <= SHOWN_LIMIT ? text : cut(text, SHOWN_LIMIT);
}

function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  let end = 0;
  for (let points = 0; points < limit && end < text.length; points++) {
    end += (text.codePointAt(end) as number) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}

function withoutLastWord(text: string): string {
  const least = Math.max(0, text.length - LONGEST_WORD);
  let end = text.length;
  while (end > least && !/\s/u.test(text.charAt(end - 1))) end -= 1;
  // A number may have been cut at one of its spaces.
  while (end > 0 && '0123456789 -+().'.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

// A terminal must not obey what a row says: escape sequences go, other controls (C0, DEL, C1) and the characters that
// turn the writing direction become spaces. CSI: ECMA-48, 5.4.
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
const CSI = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
const CONTROLS = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

function withoutControls(text: string): string {
  // Mostly there are none, and looking is cheaper than replacing nothing twice.
  if (text.search(CONTROLS) < 0) return text;
  return text.replace(CSI, '').replace(CONTROLS, ' ');
}

function maskEmails(text: string): string {
  let out = '';
  let copied = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    if (at < copied) continue;
    const start = localStart(text, at, copied);
    const end = domainEnd(text, at + 1);
    if (start === at || end === at + 1) continue;
    out += text.slice(copied, start) + maskAddress(text.slice(start, at), text.slice(at + 1, end));
    copied = end;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

function localStart(text: string, at: number, floor: number): number {
  if (text.charAt(at - 1) === '"') {
    // "john doe"@example.com
    const quote = text.lastIndexOf('"', at - 2);
    if (quote >= floor && at - quote <= LONGEST_WORD) return quote;
  }
  let start = at;
  while (start > floor && at - start < LONGEST_WORD && isPart(LOCAL, text, start - 1)) start -= 1;
  while (start < at && !isPart(WORD, text, start)) start += 1;
  return start;
}

function domainEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && isPart(DOMAIN, text, end)) end += 1;
  while (end > start && '.-'.includes(text.charAt(end - 1))) end -= 1;
  return end;
}

/** One unit of a pair counts as a letter: the pairs that occur in addresses are. */
function isPart(pattern: RegExp, text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 0xd800 && code <= 0xdfff) || pattern.test(text.charAt(at));
}

function maskAddress(local: string, domain: string): string {
  const label = domain.slice(domain.lastIndexOf('.') + 1);
  const last = domain.includes('.') && label !== '' ? `.${label}` : '';
  return `${firstLetter(local)}${MASK}@${firstLetter(domain)}${MASK}${last}`;
}

function firstLetter(text: string): string {
  const first = text.codePointAt(0);
  return first === undefined ? '' : String.fromCodePoint(first);
}

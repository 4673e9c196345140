/** The log: text for people or JSON for machines, with secrets and personal data taken out. */
import { type Logger, pino } from 'pino';
import { maskEmail } from '../streams/mask.js';
import { maskNumbers } from '../streams/mask-digits.js';
import { maskNames } from '../streams/mask-names.js';

export type { Logger };

export interface LogOptions {
  readonly level: string;
  readonly format: 'text' | 'json';
  /** Takes a finished line, with its line end. */
  readonly write: (line: string) => void;
}

/** Between `//user:` and the last `@` of the word: of any scheme, for a URL can stand in the middle of an error. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]{0,256}:)[^\s/]{1,512}@/gi;
/** Secrets that are named before they are given: of a URL, of a libpq connection string, of an object in a text. */
const NAMED =
  /(password|passwd|token|secret|api_?key)(["']?\s{0,3}[:=]\s{0,3})("[^"]{0,512}"?|'[^']{0,512}'?|[^\s&"',;]{1,512})/gi;
const CREDENTIALS = /\b(bearer|basic)\s{1,3}[\w.~+/=-]{6,512}/gi;
/** Addresses that are themselves the secret: Telegram's and Slack's. */
const SECRET_PATH = /(\/bot\d{1,20}:|hooks\.slack\.com\/)[\w/-]{1,256}/gi;
const EMAIL = /[\p{L}\p{N}][\p{L}\p{N}._%+-]{0,63}@[\p{L}\p{N}][\p{L}\p{N}.-]{0,252}\.\p{L}{2,24}/gu;
const SECRET_KEY = /(password|passwd|token|secret|authorization|cookie|api_?key)$/i;
/** `detail` of an error of PostgreSQL can be a whole row. */
const PERSONAL_KEY = /^(name|fio|фио|(full|first|last|customer)_?name|detail)$/iu;
/** Shown as they are: what a reader searches for. */
const IDENTIFIERS = ['timestamp', 'level', 'correlation_id', 'onec_id', 'customer_id', 'id'];

/** The text with the secrets of URLs, connection strings and headers replaced by `***`. */
export function redactUrl(text: string): string {
  return text
    .replace(URL_PASSWORD, '$1***@')
    .replace(CREDENTIALS, '$1 ***')
    .replace(NAMED, '$1$2***')
    .replace(SECRET_PATH, '$1***');
}

/** The text without secrets and personal data; its lines stay lines. */
function redact(text: string): string {
  const addresses = maskNames(redactUrl(text)).replace(EMAIL, (found: string, at: number, all: string) =>
    // The user and host of a URL are what an operator needs to know.
    all.startsWith('://', at - 3) ? found : maskEmail(found),
  );
  return maskNumbers(addresses);
}

/**
 * A logger whose lines carry `timestamp` (ISO 8601 UTC), `level`, `message`, and the `event_type` they are given.
 * A line is cleaned when it is complete, so that no nesting and no error's cause gets past it.
 */
export function createLog({ level, format, write }: LogOptions): Logger {
  const options = {
    level,
    base: null,
    messageKey: 'message',
    errorKey: 'error',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, {
    write(line: string) {
      const fields: Record<string, unknown> = JSON.parse(line, cleaned);
      write(format === 'json' ? `${JSON.stringify(fields)}\n` : asText(fields));
    },
  });
}

function cleaned(this: unknown, key: string, value: unknown): unknown {
  if (typeof value !== 'string' || IDENTIFIERS.includes(key)) return value;
  // An error's own name is the name of its class.
  const personal = PERSONAL_KEY.test(key) && !(isRecord(this) && 'stack' in this && key === 'name');
  return personal || SECRET_KEY.test(key) ? '***' : redact(value);
}

/** `2026-01-31 12:00:00.123 INFO  message event_type=... key=value`, an error's stack on lines of its own. */
function asText(fields: Record<string, unknown>): string {
  const { timestamp, level, message, error, ...rest } = fields;
  const time = String(timestamp).replace('T', ' ').replace('Z', '');
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${shown(value)}`);
  const head = [time, String(level).toUpperCase().padEnd(5), message ?? '', ...pairs].join(' ');
  const stack = isRecord(error) ? `\n${error.stack ?? error.message}` : '';
  return `${plain(head)}${stack.split('\n').map(plain).join('\n')}\n`;
}

/** Without control characters: a value must not forge a line, nor steer the terminal it is shown on. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

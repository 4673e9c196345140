/** The log: text for people or JSON for machines, with secrets and e-mail addresses taken out. */
import { type Logger, pino } from 'pino';
import { maskEmail } from '../streams/mask.js';

export type { Logger };

export interface LogOptions {
  readonly level: string;
  readonly format: 'text' | 'json';
  /** Takes a finished line, with its line end. */
  readonly write: (line: string) => void;
}

/** Between `//user:` and the last `@` of the word: of any scheme, for a URL can stand in the middle of an error. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]{0,256}:)[^\s/]{1,512}@/gi;
/** Secrets given as parameters, of a URL or of a libpq connection string. */
const PARAMETER = /\b(password|token|secret)=[^\s&"']+/gi;
const EMAIL = /[\p{L}\p{N}][\p{L}\p{N}._%+-]{0,63}@[\p{L}\p{N}][\p{L}\p{N}.-]{0,252}\.\p{L}{2,24}/gu;
const SECRET_KEY = /^(.*_)?(password|token|secret|authorization)$/i;

/** The text with the passwords of URLs and connection strings replaced by `***`. */
export function redactUrl(text: string): string {
  return text.replace(URL_PASSWORD, '$1***@').replace(PARAMETER, '$1=***');
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

function cleaned(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return SECRET_KEY.test(key) ? '***' : redactUrl(value).replace(EMAIL, maskEmail);
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

/** Who is told: receivers out of WEBHOOK_ALERT_URL and the rules file, checked before the first notice. */
import { createHash } from 'node:crypto';
import { type AddressPolicy, refusalOf } from './address.js';
import { FORMATS, type Format, type FormatChoice } from './formats.js';
import { LOCALES, type Locale } from './message.js';
import { createSigner, SecretError, type Signer } from './sign.js';

export interface Receiver {
  readonly name: string;
  readonly url: URL;
  readonly choice: FormatChoice;
  readonly locale: Locale;
  readonly sign: Signer;
  readonly headers: Readonly<Record<string, string>>;
  /** Of its address: one that said 410 is tried again when the address changes. */
  readonly fingerprint: string;
}

/** A receiver as it was written down. */
export interface ReceiverSpec {
  readonly name: string;
  readonly url: string;
  /** Absent: seen from the address. */
  readonly format?: string | undefined;
  /** Absent: the common one. */
  readonly secret?: string | undefined;
  readonly locale?: string | undefined;
  /** Of Telegram. */
  readonly chat_id?: string | undefined;
  readonly thread_id?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What holds for all receivers that do not say otherwise. */
export interface ReceiverDefaults {
  readonly policy: AddressPolicy;
  /** WEBHOOK_SECRET; null: notices are not signed. */
  readonly secret: string | null;
  readonly locale: Locale;
}

/** What is wrong with one field of a receiver; the message is the end of a sentence that begins with the field's name. */
export class ReceiverError extends Error {
  readonly field: keyof ReceiverSpec;
  constructor(field: keyof ReceiverSpec, message: string) {
    super(message);
    this.name = 'ReceiverError';
    this.field = field;
  }
}

const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** These are the protocol's own. */
const OUR_HEADERS = /^(content-length|content-type|host|connection|transfer-encoding|webhook-.*)$/i;

/**
 * The receivers of WEBHOOK_ALERT_URL, named after their hosts.
 * @throws Error with one sentence for each mistake, in lines
 */
export function receiversOf(urls: readonly string[], defaults: ReceiverDefaults): Receiver[] {
  const names = new Set<string>();
  const problems: string[] = [];
  const receivers: Receiver[] = [];
  for (const url of urls) {
    const host = URL.canParse(url) ? new URL(url).hostname.replace(/[^\w.-]/g, '').slice(0, 60) : '';
    const base = host === '' ? 'webhook' : host;
    let name = base;
    for (let n = 2; names.has(name); n++) name = `${base}-${n}`;
    names.add(name);
    try {
      receivers.push(receiverOf({ name, url }, defaults));
    } catch (error) {
      if (!(error instanceof ReceiverError)) throw error;
      const setting = error.field === 'secret' ? 'WEBHOOK_SECRET' : 'WEBHOOK_ALERT_URL';
      const problem = `${setting} ${error.message}`;
      if (!problems.includes(problem)) problems.push(problem);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return receivers;
}

/** Checks one receiver. @throws ReceiverError */
export function receiverOf(spec: ReceiverSpec, defaults: ReceiverDefaults): Receiver {
  if (!NAME.test(spec.name))
    throw new ReceiverError('name', 'is no name of a receiver; allowed: letters, digits, dots, dashes');
  const written = URL.canParse(spec.url) ? new URL(spec.url) : null;
  if (!written || written.hostname === '')
    throw new ReceiverError('url', 'is no address; allowed: https://host/path');
  const refusal = refusalOf(written, defaults.policy);
  if (refusal !== null) throw new ReceiverError('url', refusal);
  const format = formatOf(spec.format, written);
  const locale = spec.locale ?? defaults.locale;
  if (!isOneOf(LOCALES, locale)) throw new ReceiverError('locale', `is ${show(locale)}; allowed: en, ru`);
  return {
    name: spec.name,
    ...target(format, written, spec),
    locale,
    sign: signer(spec.secret ?? defaults.secret),
    headers: checkedHeaders(spec.headers ?? {}),
    fingerprint: createHash('sha256').update(written.href).digest('hex').slice(0, 16),
  };
}

function signer(secret: string | null): Signer {
  try {
    return createSigner(secret);
  } catch (error) {
    throw error instanceof SecretError ? new ReceiverError('secret', error.message) : error;
  }
}

function formatOf(written: string | undefined, url: URL): Format {
  if (written === undefined) return seenFormat(url);
  if (isOneOf(FORMATS, written)) return written;
  throw new ReceiverError('format', `is ${show(written)}; allowed: ${FORMATS.join(', ')}`);
}

/** Services that are known by their address. */
function seenFormat({ hostname, pathname }: URL): Format {
  if (hostname === 'hooks.slack.com' || hostname === 'hooks.slack-gov.com') return 'slack';
  if (hostname === 'api.telegram.org') return 'telegram';
  if (/\.(webhook\.office\.com|logic\.azure\.com|powerplatform\.com)$/.test(hostname)) return 'teams';
  return pathname.endsWith('/api/v2/alerts') ? 'alertmanager' : 'generic';
}

/** The address to post to and what the format needs: both can be written in more than one way. */
function target(format: Format, written: URL, spec: ReceiverSpec): { url: URL; choice: FormatChoice } {
  const url = new URL(written);
  if (format === 'alertmanager') {
    if (!url.pathname.endsWith('/api/v2/alerts'))
      url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v2/alerts`;
    return { url, choice: { format } };
  }
  if (format !== 'telegram') return { url, choice: { format } };
  const chatId = spec.chat_id ?? url.searchParams.get('chat_id') ?? '';
  const thread = spec.thread_id ?? Number(url.searchParams.get('message_thread_id') ?? Number.NaN);
  if (!/^(-?\d{1,20}|@\w{1,64})$/.test(chatId))
    throw new ReceiverError(
      'chat_id',
      `of a Telegram receiver is ${chatId === '' ? 'missing' : show(chatId)}; allowed: a number or @channel, here or as ?chat_id= of the address`,
    );
  url.search = '';
  if (!url.pathname.endsWith('/sendMessage')) url.pathname = `${url.pathname.replace(/\/$/, '')}/sendMessage`;
  return { url, choice: { format, chatId, threadId: Number.isSafeInteger(thread) ? thread : null } };
}

function checkedHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER.test(name)) throw new ReceiverError('headers', `names ${show(name)}, which is no header`);
    if (OUR_HEADERS.test(name))
      throw new ReceiverError('headers', `names ${name}, which every notice has already`);
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new ReceiverError('headers', `has a value for ${name} that no header can carry`);
  }
  return headers;
}

function isOneOf<const T extends string>(allowed: readonly T[], word: string): word is T {
  return (allowed as readonly string[]).includes(word);
}

function show(value: string): string {
  return JSON.stringify(value.slice(0, 60));
}

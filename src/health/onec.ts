/** The API of 1C: a GET of the address; any 2xx is up. Redirects are not followed. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage, type RequestOptions, STATUS_CODES } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import { type Check, down, type Finding, well } from './check.js';

/** @param address HEALTH_CHECK_1C_API_URL; may hold a password, and no part of it after the host is ever told */
export function onecCheck(address: string, lookup: typeof systemLookup = systemLookup): Check {
  const url = new URL(address);
  const options: RequestOptions = {
    ...urlToHttpOptions(url),
    method: 'GET',
    headers: { 'user-agent': 'customer-sync-monitor', accept: '*/*' },
    // A connection of its own: whether one can be made is part of the question.
    agent: false,
    lookup: oneLookup(lookup),
  };
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return {
    component: 'onec_api',
    ask: (signal) =>
      new Promise<Finding>((resolve, reject) => {
        const asked = request({ ...options, signal });
        asked.on('response', (response) => {
          resolve(judge(response, url));
          // With its headers it has answered; nobody reads the rest.
          asked.destroy();
        });
        asked.on('error', (error: NodeJS.ErrnoException) =>
          reject(new Error(wordsOf(error), { cause: error })),
        );
        asked.on('close', () => reject(new Error('closed the connection without an answer')));
        asked.end();
      }),
  };
}

function judge({ statusCode = 0, headers }: IncomingMessage, url: URL): Finding {
  const details = { status_code: statusCode };
  const answer = `answers ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim();
  if (statusCode >= 200 && statusCode < 300) return well(answer, details);
  if (statusCode >= 300 && statusCode < 400) {
    const to = URL.canParse(headers.location ?? '', url.href)
      ? new URL(headers.location ?? '', url).origin
      : null;
    const where = to === null ? '' : ` to ${to === url.origin ? 'another path' : to}`;
    return down(`${answer}: redirects${where}, which is not followed`, details);
  }
  return down(`${answer}, which is no success`, details);
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/;

/** What it means and what Node calls it; Node's words name host and port, never path or password. */
function wordsOf(error: NodeJS.ErrnoException): string {
  const code = error.code ?? '';
  const told = `${error.message}${code === '' || error.message.includes(code) ? '' : ` (${code})`}`;
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return `its name cannot be resolved: ${told}`;
  if (code === 'ECONNREFUSED') return `refuses the connection: ${told}`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return `breaks the connection off: ${told}`;
  if (CERTIFICATE.test(code)) return `its certificate is not to be trusted: ${told}`;
  if (code.startsWith('HPE_')) return `does not speak HTTP: ${told}`;
  if (/^(ERR_SSL|EPROTO)/.test(code)) return `does not speak TLS: ${told}`;
  return told;
}

/**
 * A lookup that hangs cannot be cancelled and holds one of Node's four threads: whoever asks meanwhile waits for the same
 * one, and there is never a second.
 */
function oneLookup(lookup: typeof systemLookup): LookupFunction {
  type Found = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;
  let waiting: Found[] | undefined;
  return (hostname, options, callback) => {
    const mine: Found = (error, addresses) => {
      const [first] = addresses;
      if (error || !first) callback(error ?? new Error('its name has no address'), '', 4);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    };
    if (waiting) {
      waiting.push(mine);
      return;
    }
    const all = [mine];
    waiting = all;
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      waiting = undefined;
      for (const found of all) found(error, addresses ?? []);
    });
  };
}

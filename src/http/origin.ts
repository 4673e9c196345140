/** Which Host and Origin headers belong to this monitor: the defence against pages of others in the same browser. */
import { isIPv4 } from 'node:net';

/** Whether an address, name or bracketed IPv6 address is this machine itself. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost' || name === '::1') return true;
  const v4 = name.startsWith('::ffff:') ? name.slice(7) : name;
  return isIPv4(v4) && v4.startsWith('127.');
}

/** The host and port of a Host header under a scheme, default port left out; undefined when it is none. */
export function hostOf(header: string, scheme: string): URL | undefined {
  // A Host header is host[:port] and nothing else: 'user@host' or 'host/path' would be read as a URL by URL.
  if (!/^[\w.:[\]-]+$/.test(header)) return undefined;
  return URL.canParse(`${scheme}//${header}`) ? new URL(`${scheme}//${header}`) : undefined;
}

/** The names besides its own under which a monitor, or a page of it, is reached. */
export interface KnownHosts {
  /** `host` or `host:port`. */
  readonly hosts: ReadonlySet<string>;
  /** Whole origins, `https://host:port`. */
  readonly origins: ReadonlySet<string>;
}

export function isKnownHost(url: URL, { hosts }: KnownHosts): boolean {
  return hosts.has(url.hostname) || hosts.has(url.host);
}

/** Whether a page of this origin is a page of this monitor, asked by that Host. */
export function isOwnOrigin(origin: string, host: string | undefined, known: KnownHosts): boolean {
  const from = URL.canParse(origin) ? new URL(origin) : undefined;
  if (from === undefined || from.host === '') return false;
  if (isKnownHost(from, known) || known.origins.has(from.origin)) return true;
  return host !== undefined && hostOf(host, from.protocol)?.host === from.host;
}

/** Where a notice may be sent to: never over http by accident, and not inside where that is forbidden. */
import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** IANA's special-purpose registries (RFC 6890, RFC 8190): what no public receiver can have. */
const NOT_PUBLIC: readonly string[] = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/128', '::1/128', '100::/64', '2001::/23', '2001:db8::/32', '3fff::/20', '5f00::/16', 'fc00::/7'],
  ...['fe80::/10', 'fec0::/10', 'ff00::/8'],
  // An IPv4 address inside an IPv6 one (IPv4-compatible, NAT64, 6to4): a way round the list above.
  ...['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16'],
];

const PRIVATE = new BlockList();
for (const net of NOT_PUBLIC) {
  const [address = '', bits] = net.split('/');
  PRIVATE.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
}

/** Whether this IP address (without brackets) is not one of the public Internet. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  // BlockList finds an IPv4-mapped address (::ffff:10.0.0.1) in the nets of IPv4 by itself.
  return family === 0 ? false : PRIVATE.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Whether this host of a URL is the machine itself. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/\.$/, '').toLowerCase();
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(host)
  );
}

export interface AddressPolicy {
  /** http to any host and not only to loopback (WEBHOOK_ALLOW_HTTP). */
  readonly allowHttp: boolean;
  /** No address of a private network (WEBHOOK_DENY_PRIVATE). */
  readonly denyPrivate: boolean;
}

/** Why this address must not be sent to, as the end of a sentence; null where it may, as far as its text tells. */
export function refusalOf(url: URL, policy: AddressPolicy): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return `is a ${url.protocol} address; allowed: https, or http to this machine`;
  if (url.protocol === 'http:' && !policy.allowHttp && !isLoopback(url.hostname))
    return `sends over http to ${url.host}; allowed: https, a loopback address, or WEBHOOK_ALLOW_HTTP=true`;
  const bare = url.hostname.replace(/^\[|\]$/g, '');
  if (policy.denyPrivate && (isPrivateAddress(bare) || isLoopback(url.hostname)))
    return `names ${url.host}, a private address, and WEBHOOK_DENY_PRIVATE is true; allowed: a public address`;
  return null;
}

/** The name of a receiver leads to a private address, which WEBHOOK_DENY_PRIVATE forbids. */
export class PrivateAddressError extends Error {
  constructor(hostname: string, address: string) {
    super(`${hostname} leads to ${address}, a private address, and WEBHOOK_DENY_PRIVATE is true`);
    this.name = 'PrivateAddressError';
  }
}

export type Resolve = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

const systemResolve: Resolve = (hostname, done) => lookup(hostname, { all: true }, done);

/**
 * A resolver that gives public addresses only. It is the one that connects, so that no second answer of the name server
 * can lead elsewhere than the one that was checked (DNS rebinding). One private address refuses the name.
 */
export function publicLookup(resolve: Resolve = systemResolve): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, (error, addresses) => {
      if (error) return done(error, '', 0);
      const inside = addresses.find(({ address }) => isPrivateAddress(address));
      if (inside) return done(new PrivateAddressError(hostname, inside.address), '', 0);
      const [first] = addresses;
      if (!first)
        return done(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), '', 0);
      if (options.all) return done(null, addresses);
      done(null, first.address, first.family);
    });
  };
}

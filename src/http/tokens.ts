/** The tokens of one configuration: several of a role at once, so that one can be changed without a gap. */
import { createHash, timingSafeEqual } from 'node:crypto';

export type Role = 'admin' | 'viewer' | 'metrics';

export interface TokenOptions {
  /** Each may hold several tokens separated by blanks or line ends. */
  readonly authToken?: string | undefined;
  readonly viewerToken?: string | undefined;
  readonly metricsToken?: string | undefined;
}

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

function hashesOf(tokens: string | undefined): readonly Buffer[] {
  return (tokens ?? '')
    .split(/\s+/)
    .filter((token) => token !== '')
    .map((token) => sha256(Buffer.from(token, 'utf8')));
}

export class Tokens {
  readonly #roles: readonly (readonly [Role, readonly Buffer[]])[];

  constructor(options: TokenOptions) {
    this.#roles = [
      ['admin', hashesOf(options.authToken)],
      ['viewer', hashesOf(options.viewerToken)],
      ['metrics', hashesOf(options.metricsToken)],
    ];
  }

  get hasAdmin(): boolean {
    return this.#roles.some(([role, hashes]) => role === 'admin' && hashes.length > 0);
  }

  /** The role of a token as it was sent; undefined for one that is not known. */
  roleOf(token: Buffer): Role | undefined {
    const hash = sha256(token);
    let found: Role | undefined;
    // Every token is compared, whatever matched before: the time must not tell which one was nearly right.
    for (const [role, hashes] of this.#roles) {
      for (const known of hashes) if (timingSafeEqual(known, hash)) found ??= role;
    }
    return found;
  }
}

/** The token of a Bearer header, or the password of a Basic one, as raw bytes; undefined for anything else. */
export function credentialsOf(authorization: string): Buffer | undefined {
  const match = /^(bearer|basic) +(\S+) *$/i.exec(authorization);
  const value = match?.[2];
  if (value === undefined) return undefined;
  // Node.js hands header values out as latin1: one character is one byte of what was sent.
  if (match?.[1]?.toLowerCase() === 'bearer') return Buffer.from(value, 'latin1');
  const pair = Buffer.from(value, 'base64');
  const colon = pair.indexOf(0x3a);
  return colon < 0 ? undefined : pair.subarray(colon + 1);
}

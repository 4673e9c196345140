/**
 * Wrong tokens by address: a bucket that fills with each and leaks with time. Who has filled it is not listened to until
 * it has leaked, right token or not; else guessing would go on under the refusals. Who sends no token, or a session that
 * has ended, guesses nothing.
 */
import { isIPv6 } from 'node:net';

export interface AttemptLimits {
  /** Wrong tokens at once. */
  readonly burst: number;
  /** One more is allowed after so long. ms */
  readonly leakMs: number;
  /** Addresses that are remembered. */
  readonly addresses: number;
}

/** Ten a minute in the long run. */
export const ATTEMPT_LIMITS: AttemptLimits = { burst: 10, leakMs: 6_000, addresses: 10_000 };

export interface AttemptStats {
  /** Wrong tokens. */
  readonly failed: number;
  /** Attempts that were not listened to. */
  readonly limited: number;
  /** Addresses forgotten before their time, to keep memory bounded. */
  readonly forgotten: number;
}

interface Bucket {
  readonly level: number;
  /** When it had that level, ms. */
  readonly at: number;
}

export class FailedAttempts {
  readonly #limits: AttemptLimits;
  /** The one that failed last is last. */
  readonly #buckets = new Map<string, Bucket>();
  #failed = 0;
  #limited = 0;
  #forgotten = 0;

  constructor(limits: Partial<AttemptLimits> = {}) {
    this.#limits = { ...ATTEMPT_LIMITS, ...limits };
  }

  stats(): AttemptStats {
    return { failed: this.#failed, limited: this.#limited, forgotten: this.#forgotten };
  }

  /** How long this address has to wait before it is listened to; 0: not at all. @param now monotonic ms */
  waitMs(address: string, now: number): number {
    const { burst, leakMs } = this.#limits;
    const level = this.#level(keyOf(address), now);
    if (level <= burst - 1) return 0;
    this.#limited += 1;
    return Math.ceil((level - (burst - 1)) * leakMs);
  }

  /** @returns whether this one filled the bucket */
  failed(address: string, now: number): boolean {
    const key = keyOf(address);
    const level = this.#level(key, now) + 1;
    this.#failed += 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { level, at: now });
    this.#forget(now);
    return level > this.#limits.burst - 1;
  }

  #level(key: string, now: number): number {
    const bucket = this.#buckets.get(key);
    return bucket === undefined ? 0 : Math.max(0, bucket.level - (now - bucket.at) / this.#limits.leakMs);
  }

  #forget(now: number): void {
    for (const key of this.#buckets.keys()) {
      const leaked = this.#level(key, now) === 0;
      if (!leaked && this.#buckets.size <= this.#limits.addresses) return;
      if (!leaked) this.#forgotten += 1;
      this.#buckets.delete(key);
    }
  }
}

/** An IPv6 network of /64 is one address: whoever has one address of it usually has all. */
function keyOf(address: string): string {
  const bare = address.toLowerCase().split('%', 1)[0] ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(bare)) return bare.slice(0, 64);
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}

import { Redis } from 'ioredis';
import { backoff } from '../../streams/backoff.js';
import type { CooldownStore } from './cooldown.js';

export interface RedisCooldown extends CooldownStore {
  close(): void;
}

/** A rate limit must not keep an alert waiting for long. ms */
const PATIENCE_MS = 1_000;
const PAUSES = { firstMs: 100, longestMs: 5_000 };

/**
 * @param scope what tells this monitor's keys from another's on the same Redis: the watched table and its database
 */
export function redisCooldown(url: string, scope: string): RedisCooldown {
  const redis = new Redis(url, {
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    // A question that cannot be asked now is not asked later: the notice has gone by then.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // For ever: Redis comes back, and nobody restarts the monitor for it.
    retryStrategy: (tries) => backoff(tries, PAUSES, Math.random()),
  });
  let reason: Error | null = null;
  let connecting: Promise<void> | null = null;
  redis.on('error', (error: Error) => {
    reason = error;
  });
  redis.on('ready', () => {
    reason = null;
  });
  const keyOf = (rule: string) => `sync_monitor:${scope}:cooldown:${rule}`;
  /** The library's own words for a lost connection do not say why it was lost. */
  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    try {
      if (redis.status !== 'ready') {
        // Whoever asks meanwhile waits for the same.
        connecting ??= ready(redis).finally(() => {
          connecting = null;
        });
        await connecting;
      }
      return await question();
    } catch (error) {
      throw reason ?? error;
    }
  };
  return {
    name: 'Redis',
    claim: (rule, transitionId, until, now) =>
      ask(async () => {
        const key = keyOf(rule);
        // Once more where the other's time ended between the two questions.
        for (let tries = 0; tries < 2; tries++) {
          if ((await redis.set(key, transitionId, 'PX', Math.ceil(until - now), 'NX')) === 'OK') return null;
          const [other, left] = await Promise.all([redis.get(key), redis.pttl(key)]);
          if (other === transitionId) return null;
          if (other !== null && left > 0) return now + left;
        }
        return null;
      }),
    take: (rule, transitionId, until, now) =>
      ask(async () => {
        await redis.set(keyOf(rule), transitionId, 'PX', Math.ceil(until - now));
      }),
    close: () => redis.disconnect(),
  };
}

/** Waits for a connection that is being made, not for better times. */
function ready(redis: Redis): Promise<void> {
  if (redis.status !== 'connecting' && redis.status !== 'connect')
    return Promise.reject(new Error(`Redis is not connected (${redis.status})`));
  return new Promise((resolve, reject) => {
    const finish = (error?: Error) => {
      clearTimeout(timer);
      redis.off('ready', won);
      redis.off('close', lost);
      if (error) reject(error);
      else resolve();
    };
    const won = () => finish();
    const lost = () => finish(new Error('Redis closed the connection'));
    const timer = setTimeout(
      () => finish(new Error(`Redis did not answer within ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    );
    redis.once('ready', won);
    redis.once('close', lost);
  });
}

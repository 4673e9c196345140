/** Redis: a PING over a connection that is kept, and made anew where it was lost. */
import { Redis } from 'ioredis';
import { type Check, down, well } from './check.js';

export function redisCheck(url: string): Check {
  let redis: Redis | undefined;
  const close = () => {
    redis?.disconnect();
    redis = undefined;
  };
  return {
    component: 'redis',
    async ask(signal) {
      signal.addEventListener('abort', close, { once: true });
      let reason: Error | undefined;
      try {
        if (redis?.status !== 'ready') {
          close();
          redis = connection(url);
        }
        const asked = redis;
        // The library's own words for a lost connection do not say why it was lost.
        asked.removeAllListeners('error').on('error', (error: Error) => {
          reason = error;
        });
        if (asked.status !== 'ready') await asked.connect();
        const answer = await asked.ping();
        return answer === 'PONG' ? well('answers PING') : down(`answers PING with ${JSON.stringify(answer)}`);
      } catch (error) {
        close();
        throw reason ?? error;
      } finally {
        signal.removeEventListener('abort', close);
      }
    },
    close,
  };
}

function connection(url: string): Redis {
  return new Redis(url, {
    lazyConnect: true,
    // The check's own time ends it.
    connectTimeout: 60_000,
    // What hangs does not close its side: the socket is ended without it. ms
    disconnectTimeout: 20,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: () => null,
    connectionName: 'customer-sync-monitor',
  });
}

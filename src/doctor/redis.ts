import { Redis } from 'ioredis';
import { wordsOf } from '../../streams/error-words.js';
import { type Finding, fault, ok } from './check.js';

/** A real PING. @param url REDIS_URL, null where it is not set */
export async function checkRedis(url: string | null, timeoutMs: number): Promise<Finding> {
  if (url === null) return ok('Not configured (REDIS_URL): one monitor does not need it.');
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // One try: a check does not wait for better times.
    retryStrategy: () => null,
  });
  // The reason comes as an event; connect() itself only says that the connection is closed.
  let reason: string | undefined;
  redis.on('error', (error: Error) => {
    reason ??= wordsOf(error);
  });
  const host = URL.canParse(url) ? new URL(url).host : 'the address';
  try {
    await redis.connect();
    const began = performance.now();
    const answer = await redis.ping();
    const ms = (performance.now() - began).toFixed(1);
    if (answer === 'PONG') return ok(`Redis at ${host} answered PING within ${ms} ms.`);
    return fault(`Redis at ${host} answered PING with ${JSON.stringify(answer)}.`, 'Correct REDIS_URL.');
  } catch (error) {
    return judgeRedis(host, reason ?? wordsOf(error));
  } finally {
    redis.disconnect();
  }
}

/** What helps, by the words of Redis or of the socket. */
export function judgeRedis(host: string, words: string): Finding {
  const remedy = /NOAUTH|WRONGPASS|invalid (username-)?password|NOPERM/i.test(words)
    ? 'Correct role and password in REDIS_URL (redis://, role, colon, password, @, host).'
    : /ENOTFOUND|EAI_AGAIN/.test(words)
      ? 'Correct the host name in REDIS_URL.'
      : /DB index|out of range/i.test(words)
        ? 'Correct the number of the database at the end of REDIS_URL.'
        : /certificate|TLS|SSL|ECONNRESET|ETIMEDOUT|timed out/i.test(words)
          ? 'Check host, port and TLS in REDIS_URL: rediss:// where Redis speaks it, redis:// where it does not.'
          : 'Start Redis, or correct host and port in REDIS_URL; without REDIS_URL the monitor runs alone.';
  return fault(`Redis at ${host} does not work: ${words.replace(/[.\s]+$/, '')}.`, remedy);
}

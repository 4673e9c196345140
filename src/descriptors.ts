/**
 * Says when file descriptors run out. Node.js does not: where none is left for a new connection, libuv takes it with one
 * that it keeps in reserve, closes it, and tells nobody.
 */
import { readdir, readFile } from 'node:fs/promises';
import type { Logger } from './log.js';

const EVERY_MS = 5_000;
const FULL = 0.9;
/** Said to be over only well below, so that it is not said again and again. */
const EASED = 0.8;

interface Descriptors {
  readonly open: number;
  readonly limit: number;
}

/** @returns 'none left' where not even this could be read, undefined where the system does not tell (all but Linux). */
async function descriptors(): Promise<Descriptors | 'none left' | undefined> {
  try {
    const limits = await readFile('/proc/self/limits', 'utf8');
    const [, limit] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
    const open = (await readdir('/proc/self/fd')).length;
    return limit === undefined ? undefined : { open, limit: Number(limit) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'EMFILE' || code === 'ENFILE' ? 'none left' : undefined;
  }
}

const REMEDY = 'raise the limit of open files (ulimit -n, LimitNOFILE of systemd) or lower MAX_WS_CLIENTS';

/**
 * Looks every few seconds and tells the log when it begins and when it is over.
 * @param wanted connections that may come; told at once where the limit has no room for them
 * @returns what ends it
 */
export function watchDescriptors(log: Logger, wanted: number): () => void {
  let full = false;
  let looking = false;
  const look = async (first: boolean): Promise<void> => {
    if (looking) return;
    looking = true;
    const found = await descriptors();
    looking = false;
    if (found === undefined) return;
    if (found === 'none left' || found.open >= FULL * found.limit) {
      if (full) return;
      full = true;
      const [open, limit] = found === 'none left' ? [null, null] : [found.open, found.limit];
      log.error(
        { event_type: 'descriptors', open, limit },
        `${open === null ? 'all' : `${open} of ${limit}`} file descriptors are in use: new connections are refused; ${REMEDY}`,
      );
      return;
    }
    if (full && found.open < EASED * found.limit) {
      full = false;
      log.info({ event_type: 'descriptors', ...found }, 'there are file descriptors again');
    }
    if (first && found.open + wanted > found.limit)
      log.warn(
        { event_type: 'descriptors', ...found },
        `at most ${found.limit} files may be open, which is too few for ${wanted} connections: ${REMEDY}`,
      );
  };
  void look(true);
  const timer = setInterval(() => void look(false), EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

import type { Range } from '../../streams/ranges.js';
import type { Reading } from './reading.js';

/** Holes asked for in one statement: ids in all, and ranges. */
const MAX_IDS = 5_000;
const MAX_RANGES = 1_000;

export interface Reread {
  readonly reading: Reading;
  readonly holes: readonly Range[];
  /** Called with the rows of each statement; what it throws ends the re-read. */
  readonly found: (raw: (string | null)[][]) => void;
}

/** Reads what stands in the holes by now: small ones many at a time, large ones page by page, none enumerated. */
export async function rereadHoles({ reading, holes, found }: Reread): Promise<void> {
  const { link, statements } = reading;
  let from: number[] = [];
  let to: number[] = [];
  let ids = 0;
  const flush = async () => {
    if (from.length === 0) return;
    found(await link.query(statements.ranges, [from, to], 'csm_ranges'));
    from = [];
    to = [];
    ids = 0;
  };
  for (const [first, last] of holes) {
    if (last - first >= MAX_IDS) {
      let after = first - 1;
      for (;;) {
        const size = reading.pageRows;
        const raw = await link.query(statements.page, [after, last, size], 'csm_page');
        found(raw);
        if (raw.length < size) break;
        after = Number(raw.at(-1)?.[0]);
      }
      continue;
    }
    from.push(first);
    to.push(last);
    ids += last - first + 1;
    if (ids >= MAX_IDS || from.length >= MAX_RANGES) await flush();
  }
  await flush();
}

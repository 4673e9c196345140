/** A past for an empty sample table, so that the windows are not empty at first sight. */
import { createRandom } from './traffic-random.js';
import { CALM, type DemoRow, generateRow } from './traffic-row.js';
import { TrafficStore } from './traffic-store.js';

const DAY_MS = 86_400_000;
const PART = 1_000;

export interface HistoryOptions {
  readonly url: string;
  readonly seed: number;
  /** Rows over the last 24 hours. */
  readonly rows?: number;
}

/** Fills the table with a day of rows, oldest first, unless it has rows already. Gives the number written. */
export async function writeHistory({ url, seed, rows = 6_000 }: HistoryOptions): Promise<number> {
  const store = new TrafficStore(url);
  try {
    if (!(await store.isEmpty())) return 0;
    const random = createRandom(seed);
    const ages = Array.from({ length: rows }, () => ageOf(random())).sort((a, b) => b - a);
    await store.query('BEGIN');
    for (let from = 0; from < rows; from += PART) {
      const part = ages.slice(from, from + PART);
      const past = part.map((age) => finished(generateRow(random, moodAt(age))));
      await store.insert(past, part);
    }
    await store.query('COMMIT');
    return rows;
  } finally {
    await store.close();
  }
}

/** A third of the rows within the last hour, so that the short windows show something too. */
function ageOf(share: number): number {
  return share < 1 / 3 ? share * 3 * 3_600_000 : ((share - 1 / 3) / (2 / 3)) * DAY_MS;
}

/** Some hours ago 1C was down for a while, and later slow. */
function moodAt(age: number) {
  const hours = age / 3_600_000;
  if (hours > 7 && hours < 7.7) return { ...CALM, errors: 0.5 };
  return hours > 3 && hours < 3.8 ? { ...CALM, slowness: 5 } : CALM;
}

/** What was pending in the past has ended long since. */
function finished(row: DemoRow): DemoRow {
  if (!row.ending) return row;
  const { status, duration_ms, error_message } = row.ending;
  return { ...row, status, duration_ms, error_message, ending: null };
}

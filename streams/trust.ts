/** How far the numbers can be believed: what was read, and what the audit found of it. */
import type { Completeness } from './event.js';

/** Below this share of rows on which history and the table agree, the numbers are not to be acted upon. */
const TRUSTED_RATIO = 0.99;

/**
 * What the reader knows to be missing, and what the audit found to differ and has not mended yet.
 * @param ratio of the audit, 0..1; null where it does not know
 */
export function audited(read: Completeness, ratio: number | null): Completeness {
  if (read.state !== 'complete' || ratio === null || ratio === 1) return read;
  if (ratio >= TRUSTED_RATIO) return { ...read, ratio };
  const percent = (100 * ratio).toFixed(1);
  return {
    state: 'incomplete',
    ratio,
    reasons: [`History and the table agree on ${percent} % of the rows; the rest is being read again.`],
  };
}

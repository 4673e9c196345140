export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * The pause before the next try, ms: doubled each time up to the longest, and between half and the whole of it, so that
 * those who failed in one moment do not come back in one.
 * @param doublings 0 for the first pause
 * @param random 0 <= random < 1
 */
export function backoff(doublings: number, { firstMs, longestMs }: Backoff, random: number): number {
  // 2 ** 1000 is still a number, and Math.min brings it down.
  const most = Math.min(firstMs * 2 ** Math.min(doublings, 1_000), longestMs);
  return most * (0.5 + random / 2);
}

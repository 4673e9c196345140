/** Which known name a misspelt one was probably meant to be. */

/** The known name with the fewest edits; the first of equals. @throws when `known` is empty. */
export function nearest(name: string, known: readonly string[]): string {
  let best: { name: string; edits: number } | null = null;
  for (const candidate of known) {
    const edits = distance(name, candidate);
    if (best === null || edits < best.edits) best = { name: candidate, edits };
  }
  if (best === null) throw new Error(`no known name to compare ${name} with`);
  return best.name;
}

/** Levenshtein's distance, one row of its table at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

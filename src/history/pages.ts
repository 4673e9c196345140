/** Half-open, ms. */
export interface Page {
  readonly from: number;
  readonly to: number;
}

/** [from, to) in pages of this length, each read while the one before is used. @throws what reading throws */
export async function* pagesAhead<T>(
  { from, to }: Page,
  length: number,
  read: (page: Page) => Promise<T>,
): AsyncGenerator<T> {
  const ask = (at: number): Promise<T> => {
    const asked = read({ from: at, to: Math.min(to, at + length) });
    // It may fail before it is waited for; whoever waits is told.
    asked.catch(() => undefined);
    return asked;
  };
  let next = from < to ? ask(from) : undefined;
  for (let at = from + length; next; at += length) {
    const page = await next;
    next = at < to ? ask(at) : undefined;
    yield page;
  }
}

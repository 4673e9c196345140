/** A binary heap, the smallest time on top. */
export class TimeHeap<T extends { readonly time: number }> {
  private items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  top(): T | null {
    return this.items[0] ?? null;
  }

  push(item: T): void {
    const { items } = this;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above] as T;
      if (parent.time <= item.time) break;
      items[at] = parent;
      at = above;
    }
    items[at] = item;
  }

  pop(): T | null {
    const top = this.items[0] ?? null;
    const last = this.items.pop();
    if (last !== undefined && this.items.length > 0) this.sink(last);
    return top;
  }

  /** Drops what does not pass. */
  keep(passes: (item: T) => boolean): void {
    const kept = this.items.filter(passes);
    this.items = [];
    for (const item of kept) this.push(item);
  }

  private sink(item: T): void {
    const { items } = this;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && (items[below + 1] as T).time < (items[below] as T).time) below += 1;
      const child = items[below] as T;
      if (child.time >= item.time) break;
      items[at] = child;
      at = below;
    }
    items[at] = item;
  }
}

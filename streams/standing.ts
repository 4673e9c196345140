/** Since when each component is in its status, where whoever tells of it does not say so itself. */
import { isoOf } from './iso.js';
import type { ComponentHealth } from './system-health.js';

export class Standing {
  readonly #known = new Map<string, { readonly status: ComponentHealth['status']; readonly since: string }>();

  /**
   * The same parts, each with its `since`; one whose status differs from the last time is in it from `now` on.
   * @param now ms of the Unix epoch
   */
  note(parts: readonly ComponentHealth[], now: number): readonly ComponentHealth[] {
    return parts.map((part) => {
      const { component, status } = part;
      const known = this.#known.get(component);
      if (known?.status === status) return { ...part, since: known.since };
      const since = part.since ?? isoOf(Math.floor(now)) ?? '';
      this.#known.set(component, { status, since });
      return { ...part, since };
    });
  }
}

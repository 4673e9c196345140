/** A component that is asked again and again: what it was found to be last, since when, and how often in a row. */
import type { ComponentHealth } from '../../streams/system-health.js';
import { type Asked, Asking } from './asking.js';
import type { Check } from './check.js';

export class CheckedComponent {
  readonly component: string;
  readonly #check: Check;
  readonly #asking: Asking;
  #found: { readonly asked: Asked; readonly at: number } | undefined;
  #status: ComponentHealth['status'] | undefined;
  #since = 0;
  #failures = 0;

  /** @param timeoutMs for one check, its retry included */
  constructor(check: Check, timeoutMs: number) {
    this.component = check.component;
    this.#check = check;
    this.#asking = new Asking(check, timeoutMs);
  }

  /** When it was found to be what `health()` says, ms by this host's clock as it was set at the start; 0 before the first check. */
  get checkedAt(): number {
    return this.#found?.at ?? 0;
  }

  /** Asks now; never throws. */
  async check(stop: AbortSignal): Promise<Asked> {
    const asked = await this.#asking.ask(stop);
    // What was broken off says nothing.
    if (stop.aborted) return asked;
    // Compared with other times of this process: a step of the host's clock is no time that has passed.
    const at = performance.timeOrigin + performance.now();
    const status = asked.available && !asked.concern ? 'healthy' : 'degraded';
    if (status !== this.#status) this.#since = at;
    this.#status = status;
    this.#failures = status === 'healthy' ? 0 : this.#failures + 1;
    this.#found = { asked, at };
    return asked;
  }

  /** Undefined before the first check. */
  health(): ComponentHealth | undefined {
    if (!this.#found || !this.#status) return undefined;
    const { available, message, details, responseTimeMs } = this.#found.asked;
    return {
      component: this.component,
      available,
      status: this.#status,
      message,
      response_time_ms: responseTimeMs,
      since: new Date(this.#since).toISOString(),
      consecutive_failures: this.#failures,
      ...(details && { details }),
    };
  }

  close(): void {
    this.#check.close?.();
  }
}

/** What snapshots do not tell: health of the components, and which alerts fire. Asked over the monitor's API. */
import type { AlertWire } from '../../streams/alerts-view.js';
import type { SystemHealth } from '../../streams/system-health.js';
import { apiUrlOf } from './tail-since.js';
import { MOST_ALERTS } from './top-model.js';

export interface Status {
  /** Null: could not be asked. */
  readonly health: SystemHealth | null;
  /** Null: could not be asked, `alertsNote` says why. */
  readonly alerts: readonly AlertWire[] | null;
  readonly alertsNote: string | null;
}

export interface StatusOptions {
  /** The address of the feed. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly signal: AbortSignal;
  readonly onStatus: (status: Status) => void;
}

/** Acknowledgements and response times come with no message. */
const EVERY_MS = 10_000;
const ANSWER_MS = 5_000;

/** Asks when told to and every ten seconds, never twice at a time. */
export class StatusAsker {
  readonly #options: StatusOptions;
  readonly #timer: NodeJS.Timeout;
  #asking = false;
  #again = false;

  constructor(options: StatusOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.ask(), EVERY_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** What is being asked already may be older than the reason to ask, so it is asked once more, and only that told. */
  ask(): void {
    this.#again = true;
    if (!this.#asking) void this.#run();
  }

  async #run(): Promise<void> {
    this.#asking = true;
    let status: Status | null = null;
    while (this.#again && !this.#options.signal.aborted) {
      this.#again = false;
      status = await this.#status();
    }
    this.#asking = false;
    if (status !== null && !this.#options.signal.aborted) this.#options.onStatus(status);
  }

  async #status(): Promise<Status> {
    const [health, alerts] = await Promise.all([
      this.#get('/api/monitoring/health/'),
      this.#get(`/api/alerts/`, `state=active&limit=${MOST_ALERTS}`),
    ]);
    return {
      // 503 is what health answers when it is bad.
      health: isHealth(health.answer) ? health.answer : null,
      alerts: isAlerts(alerts.answer) ? alerts.answer.alerts : null,
      alertsNote: isAlerts(alerts.answer) ? null : messageOf(alerts),
    };
  }

  async #get(
    path: string,
    query = '',
  ): Promise<{ readonly answer: unknown; readonly failure: string | null }> {
    const { url, token, signal } = this.#options;
    try {
      const address = new URL(apiUrlOf(url, path));
      address.search = query;
      const response = await fetch(address, {
        headers: token ? { authorization: `Bearer ${token}` } : {},
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      });
      return { answer: await response.json(), failure: null };
    } catch (error) {
      return { answer: null, failure: (error as Error).message };
    }
  }
}

function messageOf({
  answer,
  failure,
}: {
  readonly answer: unknown;
  readonly failure: string | null;
}): string | null {
  return failure ?? (answer as { error?: { message?: string } } | null)?.error?.message ?? null;
}

function isHealth(answer: unknown): answer is SystemHealth {
  return typeof answer === 'object' && answer !== null && 'components' in answer && 'is_healthy' in answer;
}

function isAlerts(answer: unknown): answer is { readonly alerts: readonly AlertWire[] } {
  return typeof answer === 'object' && answer !== null && 'alerts' in answer && Array.isArray(answer.alerts);
}

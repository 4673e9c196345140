/** A check asks one component; this is the one interface of all of them. */

/** What a check found. */
export interface Finding {
  /** It does what it is there for. */
  readonly available: boolean;
  /** It does, and yet somebody should look at it. */
  readonly concern?: boolean;
  /** One sentence or its beginning, without secrets. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Check {
  /** As rules and HEALTH_CRITICAL name it. */
  readonly component: string;
  /**
   * Asks once. When the signal aborts, what was begun is ended, not only no longer waited for.
   * @throws where there is no answer; the message then says why, without secrets
   */
  ask(signal: AbortSignal): Promise<Finding>;
  /** Gives back what it keeps open. */
  close?(): void;
}

export const well = (message: string, details?: Finding['details']): Finding => ({
  available: true,
  message,
  ...(details && { details }),
});

export const down = (message: string, details?: Finding['details']): Finding => ({
  available: false,
  message,
  ...(details && { details }),
});

export const concern = (message: string, details?: Finding['details']): Finding => ({
  ...well(message, details),
  concern: true,
});

import type { Rule } from '../../streams/alert.js';
import type { AddressPolicy } from './address.js';
import type { CooldownStore } from './cooldown.js';
import type { AlertLog, Connection } from './db.js';
import type { Locale } from './message.js';
import type { Receiver } from './receivers.js';
import type { TemplateBook } from './texts.js';
import type { Limits } from './webhook.js';

export interface AlertsOptions {
  /** Of its own: nobody else's statement shall make an alert wait. */
  readonly connection: Connection;
  /** The watched table, schema-qualified: under this name everything is kept. */
  readonly table: string;
  readonly rules: readonly Rule[];
  readonly receivers: readonly Receiver[];
  readonly templates: TemplateBook;
  readonly locale: Locale;
  readonly policy: AddressPolicy;
  /** Address of the dashboard; null where it is not known. */
  readonly publicUrl: string | null;
  readonly rateLimitSeconds: number;
  /** Where the rate limit is shared besides PostgreSQL. */
  readonly cooldowns: readonly CooldownStore[];
  /** The database's clock, ms. */
  readonly clock: () => number;
  readonly log: AlertLog;
  /** For tests; Math.random otherwise. */
  readonly random?: () => number;
  readonly limits?: Limits;
  readonly outboxLimit?: number;
  /** How long a notice waits to be written down before it is sent. ms */
  readonly patienceMs?: number;
}

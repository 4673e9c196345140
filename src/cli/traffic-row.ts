/**
 * One row as the portal would log it: types by weight, log-normal durations, business details of about 500 bytes.
 * Every person, address and number in it is invented: example.com, tax numbers of a region 00 that does not exist.
 */
import { between, chance, hex, logNormal, pick, type Random, uuid } from './traffic-random.js';

/** What is going on while a row is made. */
export interface Mood {
  /** Probability of an error, 0..1, beside the rare errors of quiet times. */
  readonly errors: number;
  /** Factor on durations. */
  readonly slowness: number;
  /** Pending rows are not finished, and exports queue up. */
  readonly stuck: boolean;
}

export const CALM: Mood = { errors: 0, slowness: 1, stuck: false };

export interface DemoRow {
  readonly operation_type: string;
  readonly status: string;
  readonly customer_id: number | null;
  readonly customer_email: string | null;
  readonly onec_id: string | null;
  readonly correlation_id: string;
  readonly error_message: string | null;
  readonly duration_ms: number | null;
  /** JSON. */
  readonly details: string;
  /** How a pending row ends; null for any other. */
  readonly ending: Ending | null;
}

export interface Ending {
  readonly afterMs: number;
  readonly status: string;
  readonly duration_ms: number;
  readonly error_message: string | null;
}

interface Kind {
  readonly name: string;
  readonly weight: number;
  readonly medianMs: number;
  readonly sigma: number;
  /** Share of rows that are logged as pending first. */
  readonly pending: number;
}

const KINDS: readonly [Kind, ...Kind[]] = [
  { name: 'import_from_1c', weight: 22, medianMs: 180, sigma: 0.6, pending: 0.03 },
  { name: 'export_to_1c', weight: 20, medianMs: 320, sigma: 0.7, pending: 0.12 },
  { name: 'sync_changes', weight: 18, medianMs: 140, sigma: 0.6, pending: 0.04 },
  { name: 'customer_identification', weight: 14, medianMs: 45, sigma: 0.5, pending: 0 },
  { name: 'data_validation', weight: 9, medianMs: 25, sigma: 0.5, pending: 0 },
  { name: 'conflict_resolution', weight: 6, medianMs: 90, sigma: 0.8, pending: 0.05 },
  { name: 'updated', weight: 4, medianMs: 55, sigma: 0.5, pending: 0 },
  { name: 'created', weight: 3, medianMs: 60, sigma: 0.5, pending: 0 },
  { name: 'skipped', weight: 1.5, medianMs: 5, sigma: 0.4, pending: 0 },
  { name: 'batch_operation', weight: 1, medianMs: 9000, sigma: 0.8, pending: 0 },
  { name: 'notification_failed', weight: 1, medianMs: 2500, sigma: 0.5, pending: 0 },
  { name: 'error', weight: 0.5, medianMs: 900, sigma: 0.9, pending: 0 },
];
const TOTAL_WEIGHT = KINDS.reduce((sum, kind) => sum + kind.weight, 0);
const MAX_DURATION_MS = 2 ** 31 - 1;
/** Customers of the sample; a few of them come often. */
export const CUSTOMERS = 1_000_000;

const NAMES = ['Иванов Пётр', 'Петрова Анна', 'Сидоров Олег', 'Кузнецова Ольга', 'Смирнов Илья'] as const;
const MAIL_NAMES = ['ivanov.petr', 'petrova.anna', 'sidorov', 'o.kuznetsova', 'smirnov.i', 'opt'] as const;
const DOMAINS = ['example.com', 'example.org', 'example.net'] as const;
const FIELDS = ['price_level', 'phone', 'address', 'contract', 'discount', 'manager', 'legal_name'] as const;
const BATCHES = [
  'nightly_price_update',
  'customers_full_sync',
  'import_changes',
  'export_queue_flush',
] as const;

/** The next row. `kind` makes it one of that operation type (one of the 12 of the sample). */
export function generateRow(random: Random, mood: Mood = CALM, kind?: string): DemoRow {
  const what = KINDS.find((one) => one.name === kind) ?? weighted(random);
  const customer = Math.floor(CUSTOMERS * random() ** 2) + 1;
  const nobody = what.name === 'batch_operation' || chance(random, 0.03);
  const duration = Math.min(
    Math.round(logNormal(random, what.medianMs, what.sigma) * mood.slowness),
    MAX_DURATION_MS,
  );
  const outcome = finalStatus(random, what.name, mood);
  const message = isFault(outcome) ? faultMessage(random, customer) : null;
  const waits = chance(random, mood.stuck && what.pending > 0 ? 0.8 : what.pending);
  const ending: Ending = {
    afterMs: mood.stuck ? Number.POSITIVE_INFINITY : logNormal(random, 3000, 0.8),
    status: outcome,
    duration_ms: duration,
    error_message: message,
  };
  return {
    operation_type: what.name,
    status: waits ? 'pending' : outcome,
    customer_id: nobody ? null : customer,
    customer_email: nobody ? null : emailOf(customer),
    onec_id: nobody || chance(random, 0.1) ? null : `CT-${String(customer).padStart(9, '0')}`,
    correlation_id: uuid(random),
    error_message: waits ? null : message,
    duration_ms: waits || chance(random, 0.01) ? null : duration,
    details: JSON.stringify(detailsOf(random, what.name, outcome)),
    ending: waits ? ending : null,
  };
}

function weighted(random: Random): Kind {
  let left = random() * TOTAL_WEIGHT;
  for (const kind of KINDS) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  return KINDS[0];
}

function isFault(status: string): boolean {
  return status === 'error' || status === 'failed';
}

function finalStatus(random: Random, type: string, mood: Mood): string {
  if (type === 'error') return 'error';
  if (type === 'skipped') return 'skipped';
  if (type === 'notification_failed') return chance(random, 0.5) ? 'failed' : 'warning';
  if (chance(random, mood.errors)) return chance(random, 0.7) ? 'error' : 'failed';
  const roll = random();
  if (roll < 0.01) return 'error';
  if (roll < 0.015) return 'failed';
  if (roll < 0.035) return 'warning';
  return roll < 0.045 ? 'skipped' : 'success';
}

function emailOf(customer: number): string {
  return `${MAIL_NAMES[customer % MAIL_NAMES.length]}${customer}@${DOMAINS[customer % DOMAINS.length]}`;
}

/** With personal data in it, as in real life: the monitor has to mask it. */
function faultMessage(random: Random, customer: number): string {
  const email = emailOf(customer);
  const taxNumber = `00${String(between(random, 0, 1e8)).padStart(8, '0')}`;
  return pick(random, [
    'Таймаут соединения с 1С: превышено 30 секунд ожидания ответа',
    `Контрагент не найден: ИНН ${taxNumber}, почта ${email}`,
    `Дубликат контрагента, ФИО: ${pick(random, NAMES)}, телефон +7 (900) 000-${between(random, 10, 99)}-${between(random, 10, 99)}`,
    `HTTP 502 from 1C OData: Bad Gateway (customer ${email})`,
    'Deadlock detected while locking catalog "Контрагенты", retry 3 of 3',
    `Validation failed: field "tax_id" has value "${taxNumber}", checksum mismatch`,
  ]);
}

function detailsOf(random: Random, type: string, outcome: string): Record<string, unknown> {
  return {
    ...businessKeys(random, type, outcome),
    guid: uuid(random),
    direction: type === 'export_to_1c' ? 'portal_to_1c' : '1c_to_portal',
    attempt: chance(random, 0.9) ? 1 : 2,
    changed_fields: [pick(random, FIELDS), pick(random, FIELDS)],
    before: { version: between(random, 1, 400), checksum: hex(random, 64) },
    after: { version: between(random, 400, 800), checksum: hex(random, 64) },
    endpoint: '/odata/standard.odata/Catalog_Counterparties',
    request: { id: uuid(random), bytes: between(random, 400, 9_000) },
    worker: `celery@sync-${between(random, 1, 5)}`,
  };
}

/** Both spellings of each key occur, as in deployments that were upgraded. */
function businessKeys(random: Random, type: string, outcome: string): Record<string, unknown> {
  switch (type) {
    case 'conflict_resolution': {
      const source = chance(random, 0.4) ? 'portal_registration' : 'data_import';
      return {
        [chance(random, 0.7) ? 'conflict_source' : 'conflict_type']: source,
        email_sent: chance(random, 0.3),
      };
    }
    case 'customer_identification': {
      const method = pick(random, ['onec_id', 'onec_id', 'onec_guid', 'tax_id', 'email']);
      return { [pick(random, ['search_method', 'identification_method', 'method'])]: method };
    }
    case 'batch_operation': {
      const total = between(random, 50, 2000);
      const faults = isFault(outcome) ? between(random, 1, total) : 0;
      return {
        operation_name: pick(random, BATCHES),
        total_count: total,
        success_count: total - faults,
        error_count: faults,
      };
    }
    case 'notification_failed':
      return { email_sent: false };
    default:
      return isFault(outcome) ? { email_sent: chance(random, 0.2) } : {};
  }
}

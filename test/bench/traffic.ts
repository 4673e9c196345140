/** Rows as a reader decodes them: 12 types by weight, log-normal durations, many customers. From a seed. */
import { PENDING, type SyncRow } from '../../streams/event.js';

const TYPES: readonly (readonly [string, number, number])[] = [
  // type, weight, median duration in ms
  ['sync_changes', 30, 120],
  ['import_from_1c', 18, 350],
  ['export_to_1c', 14, 420],
  ['customer_identification', 12, 60],
  ['data_validation', 8, 25],
  ['conflict_resolution', 5, 180],
  ['updated', 4, 90],
  ['created', 3, 110],
  ['skipped', 2, 8],
  ['error', 2, 900],
  ['batch_operation', 1, 12_000],
  ['notification_failed', 1, 250],
];
const STATUSES: readonly (readonly [string, number])[] = [
  ['success', 90],
  ['error', 4],
  ['failed', 2],
  ['warning', 2],
  ['skipped', 2],
];
const METHODS = ['onec_id', 'onec_guid', 'tax_id', 'email'];
const SOURCES = ['portal_registration', 'data_import'];
const SIGMA = 0.8;

/** A random number from 0 to 1 (exclusive) per call: xorshift32. */
export function randomOf(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}

export class Traffic {
  private readonly random: () => number;
  private readonly customers: number;
  private readonly types = cumulative(TYPES.map(([, weight]) => weight));
  private readonly statuses = cumulative(STATUSES.map(([, weight]) => weight));
  private id = 0;

  constructor(options: { seed: number; customers: number }) {
    this.random = randomOf(options.seed);
    this.customers = options.customers;
  }

  row(createdAt: number): SyncRow {
    const { random } = this;
    const [type, , medianMs] = TYPES[pick(this.types, random())] as (typeof TYPES)[number];
    const [status] = STATUSES[pick(this.statuses, random())] as (typeof STATUSES)[number];
    this.id += 1;
    return {
      id: this.id,
      // A decoder makes a new string for each row; shared ones would be compared by their address.
      operationType: fresh(type),
      status: fresh(status),
      createdAt,
      customerId: 1 + Math.floor(random() * this.customers),
      customerEmail: null,
      onecId: null,
      correlationId: this.correlationId(),
      errorMessage: null,
      durationMs: status === PENDING ? null : Math.round(medianMs * Math.exp(SIGMA * this.normal())),
      conflictSource: type === 'conflict_resolution' ? (SOURCES[this.id % 2] as string) : null,
      identificationMethod: type === 'customer_identification' ? (METHODS[this.id % 4] as string) : null,
      emailSent: random() < 0.01,
      batch: null,
    };
  }

  private correlationId(): string {
    return `${Math.floor(this.random() * 2 ** 32).toString(16)}-${this.id.toString(16)}`;
  }

  /** Box and Muller. */
  private normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random());
  }
}

function fresh(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function cumulative(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let upTo = 0;
  return weights.map((weight) => {
    upTo += weight;
    return upTo / total;
  });
}

function pick(bounds: readonly number[], random: number): number {
  const found = bounds.findIndex((bound) => random < bound);
  return found < 0 ? bounds.length - 1 : found;
}

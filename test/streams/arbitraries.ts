/** Rows as fast-check makes them up: every kind of name, duration and customer that the database can hold. */
import fc from 'fast-check';
import { type BigId, OPERATION_TYPES, STATUSES } from '../../streams/event.js';

const types = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...OPERATION_TYPES) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 60 }).map((n) => `unknown_${n}`) },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', '', 'other', 'toString') },
);
const statuses = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...STATUSES) },
  { weight: 3, arbitrary: fc.constant('pending') },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 50 }).map((n) => `status_${n}`) },
);
const durations = fc.option(
  fc.oneof(
    fc.integer({ min: 0, max: 5000 }),
    fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    fc.constantFrom(0, 1, 2047, 2048, 2 ** 31 - 1, -1, -500),
  ),
);
const customers: fc.Arbitrary<BigId | null> = fc.option(
  fc.oneof(
    fc.integer({ min: -5, max: 20 }),
    fc.constantFrom<BigId>(
      '9223372036854775807',
      '-9223372036854775808',
      '9007199254740993',
      '9007199254740992',
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      4_294_967_296,
      4_294_967_297,
      -4_294_967_296,
    ),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }).map(String),
  ),
);

/** What a row holds besides its id and time. */
export const fields = fc.record({
  operationType: types,
  status: statuses,
  durationMs: durations,
  customerId: customers,
  conflictSource: fc.option(fc.constantFrom('portal_registration', 'data_import', 'odd', '__proto__')),
  identificationMethod: fc.option(fc.constantFrom('onec_id', 'tax_id', 'email', 'odd')),
  emailSent: fc.boolean(),
});

/** The same with fewer unknown names than are kept: how they are bounded depends on which comes first. */
export const fieldsOfFewNames = fields.map((of) => ({
  ...of,
  operationType: of.operationType.replace(/^unknown_\d*(\d)$/, 'unknown_$1'),
  status: of.status.replace(/^status_\d*(\d)$/, 'status_$1'),
}));

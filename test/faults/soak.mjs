// Days of virtual time through all that is pure: `node --expose-gc soak.mjs DIST HOURS STEP_MS`. A step brings rows, a
// tick, a snapshot, events and a decision on every rule. After each hour it prints the heap in use, in bytes.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Subject } from 'rxjs';

const [dist, hours, stepMs] = process.argv.slice(2);
const streams = (name) => import(pathToFileURL(join(dist, 'streams', `${name}.js`)).href);
const { pipeline } = await streams('pipeline');
const { Incidents } = await streams('incidents');
const { defaultRules, step } = await streams('rules');

const START = Date.UTC(2026, 2, 10);
const HOUR = 3_600_000;
const COMPLETE = { state: 'complete', ratio: 1, reasons: [] };
const TYPES = [
  'import_from_1c',
  'export_to_1c',
  'sync_changes',
  'customer_identification',
  'conflict_resolution',
];
const STATUSES = [
  'success',
  'success',
  'success',
  'success',
  'error',
  'failed',
  'warning',
  'skipped',
  'pending',
];
const RULES = defaultRules({
  ALERT_ERROR_RATE_THRESHOLD: 10,
  REALTIME_ERROR_RATE_THRESHOLD: 20,
  ALERT_RESPONSE_TIME_P95_THRESHOLD: 2000,
  ALERT_FAILED_OPERATIONS_THRESHOLD: 50,
  ALERT_QUEUE_SIZE_THRESHOLD: 1000,
  REALTIME_PENDING_THRESHOLD: 100,
  HEALTH_CHECK_DISK_THRESHOLD: 90,
  ALERT_NO_ACTIVITY_MINUTES: 5,
  ALERT_CUSTOMERS_AFFECTED: 10,
});

const batches$ = new Subject();
const ticks$ = new Subject();
const all = pipeline({ batches$, ticks$, epoch: 'soak' });
all.connect();
let events = 0;
all.events$.subscribe((some) => {
  events += some.length;
});
const incidents = new Incidents();
let state = {};
let transitions = 0;

let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};
let id = 0;
const pick = (from) => from[Math.floor(random() * from.length)];

/** Customers, correlations and errors are new ones again and again; now and then a type that nobody knows. */
function row(now) {
  id += 1;
  const status = pick(STATUSES);
  return {
    id,
    operationType: random() < 0.001 ? `type_${id}` : pick(TYPES),
    status,
    createdAt: random() < 0.02 ? now - random() * 20 * HOUR : now - random() * 100,
    customerId: Math.floor(id / 50 + random() * 5_000),
    customerEmail: `customer${id}@example.com`,
    onecId: null,
    correlationId: `run-${id}`,
    errorMessage:
      status === 'error' ? `refused ${Math.floor(random() * 1e6)} of customer${id}@example.com` : null,
    durationMs: status === 'pending' ? null : Math.floor(Math.exp(random() * 9)),
    conflictSource: null,
    identificationMethod: null,
    emailSent: random() < 0.1,
    batch: null,
  };
}

let pending = [];
/** Nights are quiet, as they are. */
const busy = (now) => 0.2 + 0.8 * Math.sin((Math.PI * ((now / HOUR) % 24)) / 24) ** 2;

for (let now = START, nextHour = START + HOUR; now <= START + Number(hours) * HOUR; now += Number(stepMs)) {
  const rows = Array.from({ length: Math.ceil((busy(now) * Number(stepMs)) / 500) }, () => row(now));
  const settled = pending.filter(() => random() < 0.3);
  const updates = settled.map((previous) => ({
    previous,
    row: { ...previous, status: 'success', durationMs: 12 },
  }));
  pending = pending
    .filter((one) => !settled.includes(one))
    .concat(rows.filter(({ status }) => status === 'pending'));
  const batch = { origin: 'live', rows, updates, removals: [], now };
  batches$.next(batch);
  incidents.apply(batch);
  ticks$.next({ now, completeness: COMPLETE, lagMs: 2 });
  incidents.advance(now);
  const observation = {
    ...{ now, snapshot: all.latest(), measurable: true, unmeasurableReason: null, unmeasurableSince: null },
    ...{ starting: false, components: {}, slo: null, incidents: incidents.view() },
  };
  const stepped = step(RULES, state, observation, { rateLimitSeconds: 300, reminderSeconds: 0 });
  state = stepped.state;
  transitions += stepped.transitions.length;
  if (now < nextHour) continue;
  nextHour += HOUR;
  globalThis.gc();
  console.log(process.memoryUsage().heapUsed);
}
console.error(`${id} rows, ${events} events, ${transitions} transitions of rules`);

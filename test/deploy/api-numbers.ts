/** What the panels ought to show, worked out of the answers of the JSON API. */
export interface Numbers {
  readonly total_operations: number;
  readonly success_count: number;
  readonly error_count: number;
  readonly warning_count: number;
  readonly skipped_count: number;
  readonly pending_count: number;
  readonly success_rate: number;
  readonly duration_avg_ms: number;
  readonly duration_p50_ms: number | null;
  readonly duration_p95_ms: number | null;
  readonly duration_p99_ms: number | null;
}

export interface Api {
  readonly operations: Numbers & {
    readonly by_type: Readonly<Record<string, Numbers>>;
    readonly operations_by_type: Readonly<Record<string, number>>;
  };
  readonly business: {
    readonly synced_customers_count: number;
    readonly conflicts_resolved: Readonly<Record<string, number>>;
    readonly total_conflicts: number;
    readonly total_conflicts_resolved: number;
    readonly identification_methods: Readonly<Record<string, number>>;
    readonly new_registrations: number;
    readonly imports_from_1c: number;
    readonly admin_notifications_sent: number;
    readonly automation_hours_saved: number;
  };
  readonly realtime: {
    readonly pending_operations: number;
    readonly throughput_per_minute: number;
  };
  readonly slo: {
    readonly error_budget_remaining_ratio: number;
    readonly burn_rates: Readonly<Record<string, number>>;
  };
  readonly firing: readonly string[];
}

/** By the value of the one label that tells the series apart; '' where there is only one. */
export type Expected = Readonly<Record<string, number>>;

const WINDOWS = ['1m', '5m', '1h', '24h'];
const seconds = (ms: number | null): number => (ms ?? Number.NaN) / 1_000;
const one = (value: number): Expected => ({ '': value });

/** Of each type for which there is a number. */
function byType(api: Api, of: (numbers: Numbers) => number): Expected {
  const found = Object.entries(api.operations.by_type).map(([type, numbers]) => [type, of(numbers)] as const);
  return Object.fromEntries(found.filter(([, value]) => Number.isFinite(value)));
}

/** All rows of the test are younger than the shortest of these windows. */
const inWindows = (windows: readonly string[], value: number): Expected =>
  Object.fromEntries(windows.map((window) => [window, value]));

/**
 * By dashboard, panel and query. Rates and increases stand for the counters themselves (see `counted`), which count what
 * came to a status other than pending since the start: all rows of the test but the pending ones.
 */
export const EXPECTED: Readonly<Record<string, (api: Api) => Expected>> = {
  'Operations A': ({ operations }) => one(operations.total_operations),
  'Error ratio A': ({ operations: o }) => one(o.error_count / o.total_operations),
  'p95 duration A': ({ operations }) => one(seconds(operations.duration_p95_ms)),
  'Throughput A': ({ realtime }) => one(realtime.throughput_per_minute),
  'Pending A': ({ realtime }) => one(realtime.pending_operations),
  'Alerts firing A': ({ firing }) => one(firing.length),
  'Error budget left A': ({ slo }) => one(slo.error_budget_remaining_ratio),
  'Operations by type A': (api) => byType(api, (of) => of.total_operations - of.pending_count),
  'Errors and successes A': ({ operations }) => one(operations.error_count),
  'Errors and successes B': ({ operations }) => one(operations.success_count),
  'By operation type A': (api) => byType(api, (of) => of.total_operations),
  'By operation type B': (api) => byType(api, (of) => of.error_count),
  'By operation type C': (api) => byType(api, (of) => of.error_count / of.total_operations),
  'By operation type D': (api) => byType(api, (of) => seconds(of.duration_p95_ms)),
  'Error ratio by type A': (api) => byType(api, (of) => of.error_count / of.total_operations),
  'p95 by type A': (api) => byType(api, (of) => seconds(of.duration_p95_ms)),
  'Quantiles of the window A': ({ operations: o }) => ({
    '0.5': seconds(o.duration_p50_ms),
    '0.95': seconds(o.duration_p95_ms),
    '0.99': seconds(o.duration_p99_ms),
  }),
  'p95 and average, with exemplars B': ({ operations }) => one(seconds(operations.duration_avg_ms)),
  'Pending by type A': (api) => byType(api, (of) => of.pending_count),
  'Burn rate A': ({ slo }) => slo.burn_rates,
  'Error budget A': ({ slo }) => one(slo.error_budget_remaining_ratio),
  'Rules A': ({ firing }) => Object.fromEntries(firing.map((rule) => [rule, 1])),
  'Success rate, 24 h A': ({ operations }) => one(operations.success_rate),
  'Average duration, 24 h A': ({ operations }) => one(operations.duration_avg_ms),
  'Operations, 24 h A': ({ operations }) => operations.operations_by_type,
  'Error ratio and p95, recorded A': ({ operations: o }) =>
    one(o.error_count / (o.total_operations - o.pending_count)),
  'Customers synced A': ({ business }) => one(business.synced_customers_count),
  'New registrations A': ({ business }) => one(business.new_registrations),
  'Imports from 1C A': ({ business }) => one(business.imports_from_1c),
  'Mails to admins A': ({ business }) => one(business.admin_notifications_sent),
  'Resolved automatically A': ({ business: b }) => one(b.total_conflicts_resolved / b.total_conflicts),
  'Work saved A': ({ business }) => one(business.automation_hours_saved * 3_600),
  'Customers synced by window A': ({ business }) =>
    inWindows(WINDOWS.slice(1), business.synced_customers_count),
  'Registrations and imports A': ({ business }) => one(business.new_registrations * 60),
  'Registrations and imports B': ({ business }) => one(business.imports_from_1c * 60),
  'How customers were identified A': ({ business }) => business.identification_methods,
  'Identifications A': ({ business }) => business.identification_methods,
  'Conflicts A': ({ business }) => one(business.total_conflicts),
  'Conflicts B': ({ business }) => one(business.total_conflicts_resolved),
  'Resolved by source A': ({ business }) => business.conflicts_resolved,
  'Automatic resolution A': ({ business: b }) =>
    inWindows(WINDOWS.slice(1), b.total_conflicts_resolved / b.total_conflicts),
  'Error ratio by window A': ({ operations: o }) =>
    inWindows(WINDOWS.slice(1), o.error_count / o.total_operations),
};

/** The expression over the counters themselves instead of over their growth, which Prometheus extrapolates. */
export function counted(expr: string): string {
  return expr.replace(/\b(?:rate|increase)\((\w+(?:\{[^}]*\})?)\[[^\]]+\]\)/g, '$1');
}

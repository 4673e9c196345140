/** Whether the monitor can be asked, from what its source says; the answers of the health paths. */
import { ApiError } from './errors.js';
import type { MonitorView } from './view.js';

const no = (code: string, message: string): ApiError => new ApiError(503, code, message);

/** Why no numbers can be had from this process now; undefined when they can. */
export function notReady(view: Pick<MonitorView, 'source' | 'latest'>): ApiError | undefined {
  const source = view.source();
  if (source.role === 'stopped') return no('stopping', 'The monitor is stopping.');
  if (!source.connected) {
    return no('database_unavailable', 'The database does not answer; the monitor keeps trying.');
  }
  if (source.role === 'standby') {
    return no('standby', 'Another monitor leads on this database; this one takes over when that ends.');
  }
  if (source.role === 'starting' || view.latest() === null) {
    return no('starting', 'The monitor is starting: it is still reading the table.');
  }
  return undefined;
}

/**
 * Why the process is not healthy; a standby is: it does what it is there for. Anybody may ask, so components are named and
 * nothing else is said of them.
 */
export function notHealthy(
  view: Pick<MonitorView, 'source' | 'latest' | 'getSystemHealth'>,
): ApiError | undefined {
  const reason = notReady(view);
  if (reason !== undefined && reason.code !== 'standby') return reason;
  const { status, critical_issues } = view.getSystemHealth();
  if (status !== 'unhealthy') return undefined;
  return no('unhealthy', `Unhealthy: ${critical_issues.map(({ component }) => component).join(', ')}.`);
}

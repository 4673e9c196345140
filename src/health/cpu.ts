/** CPU of the host, or of the container where that has a limit, since the check before. */
import { type Check, concern, well } from './check.js';
import type { HostSampler } from './host.js';

/** Busy all that time, a host is too small; busy for a while, it works. */
const LIMIT = 95;
const FOR_MS = 5 * 60_000;

/** @param now monotonic ms */
export function cpuCheck(
  host: Pick<HostSampler, 'read'>,
  now: () => number = () => performance.now(),
): Check {
  /** Since when every check found it busy. */
  let busySince: number | undefined;
  let began: number | undefined;
  return {
    component: 'cpu',
    async ask() {
      const since = began ?? now();
      began = now();
      const { scope, cores, usedRatio } = (await host.read()).cpu;
      const details = { scope, cores, used_ratio: usedRatio };
      if (usedRatio === null) return well('is measured from one check to the next', details);
      const percent = Math.round(usedRatio * 100);
      busySince = percent > LIMIT ? (busySince ?? since) : undefined;
      const of = `${scope === 'cgroup' ? "the container's " : ''}${Math.round(cores * 100) / 100} cores`;
      const message = `${percent} % of ${of} was used`;
      return busySince !== undefined && now() - busySince >= FOR_MS
        ? concern(
            `${message}, above ${LIMIT} % for ${Math.round((now() - busySince) / 60_000)} minutes`,
            details,
          )
        : well(message, details);
    },
  };
}

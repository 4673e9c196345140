/** Memory of the host, or of the container where that has a limit. */
import { type Check, concern, well } from './check.js';
import type { HostSampler } from './host.js';

/** Percent: beyond it the kernel is about to end somebody. */
const LIMIT = 95;
const GIB = 2 ** 30;

export function memoryCheck(host: Pick<HostSampler, 'read'>): Check {
  return {
    component: 'memory',
    async ask() {
      const { scope, usedBytes, totalBytes } = (await host.read()).memory;
      const percent = Math.round((usedBytes / totalBytes) * 10_000) / 100;
      const of = scope === 'cgroup' ? "the container's memory" : 'memory';
      const message = `${percent} % of ${of} is used, ${(usedBytes / GIB).toFixed(1)} of ${(totalBytes / GIB).toFixed(1)} GiB`;
      const details = { scope, used_bytes: usedBytes, total_bytes: totalBytes, used_percent: percent };
      return percent > LIMIT ? concern(`${message}: above ${LIMIT} %`, details) : well(message, details);
    },
  };
}

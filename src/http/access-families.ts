/** Metric families about who was not let in. */
import type { AttemptStats } from './attempts.js';
import type { Family } from './exposition.js';
import { single } from './family.js';

export function accessFamilies({ failed, limited, forgotten }: AttemptStats): readonly Family[] {
  return [
    single('counter', 'sync_monitor_wrong_tokens_total', 'Tokens that were not known.', failed),
    single(
      'counter',
      'sync_monitor_attempts_refused_total',
      'Tokens not looked at, because too many wrong ones came from that address.',
      limited,
    ),
    single(
      'counter',
      'sync_monitor_attempt_addresses_forgotten_total',
      'Addresses with wrong tokens that were forgotten early, at the bound of what is remembered.',
      forgotten,
    ),
  ];
}

/** The business numbers of the period that is shown. */
import { computed } from '@preact/signals';
import type { BusinessMetrics } from '../../../../../streams/snapshot.js';
import { ask } from '../../api.js';
import { refreshMs, type Shown, shownOf, spanOf } from '../../period.js';
import { resource } from '../../resource.js';
import { snapshot, view } from '../../state.js';

const shown = computed(() => shownOf(view.value));

const asked = resource<Shown, BusinessMetrics>({
  key: () => (shown.value.kind === 'window' ? null : shown.value),
  ask: (key, signal) => {
    const at = snapshot.peek()?.at;
    const { from, to } = spanOf(key, at === undefined ? Date.now() : Date.parse(at));
    const period = { start_date: new Date(from).toISOString(), end_date: new Date(to).toISOString() };
    return ask(`api/monitoring/business/?${new URLSearchParams(period)}`, { signal });
  },
  // Many rows, and nobody waits for the last of them here.
  everyMs: (key) => Math.max(30_000, refreshMs(spanOf(key, 0))),
});

/** Null: not known yet. */
export const numbers = computed<BusinessMetrics | null>(() =>
  shown.value.kind === 'window'
    ? (snapshot.value?.windows[shown.value.window].business ?? null)
    : asked.value.value,
);
export const failure = computed(() => (shown.value.kind === 'window' ? null : asked.failure.value));

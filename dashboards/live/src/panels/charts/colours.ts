/** Colours of the style sheet for the canvas, which cannot read custom properties itself. */
import { computed, signal } from '@preact/signals';
import { view } from '../../state.js';

const changes = signal(0);
for (const query of ['(prefers-color-scheme: dark)', '(prefers-contrast: more)'])
  matchMedia(query).addEventListener('change', () => {
    changes.value += 1;
  });

/** Changes whenever colours may be others. */
export const scheme = computed(() => `${view.value.theme ?? 'auto'} ${changes.value}`);

/** As the browser computes it where `within` stands. */
export function colourIn(within: HTMLElement): (name: string) => string {
  const probe = document.createElement('span');
  within.append(probe);
  const known = new Map<string, string>();
  const read = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colour = (name: string): string => {
    const found = known.get(name) ?? read(name);
    known.set(name, found);
    return found;
  };
  for (const name of NAMES) colour(name);
  probe.remove();
  return (name) => known.get(name) ?? '#888';
}

const NAMES = [
  ...['success', 'error', 'warning', 'skipped', 'pending', 'other', 'p50', 'p95', 'p99', 'exports'].map(
    (name) => `curve-${name}`,
  ),
  ...['text', 'quiet', 'line', 'edge', 'panel', 'bad', 'warn'],
];

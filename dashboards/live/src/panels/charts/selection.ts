/** The moment that all charts point at, and the zoom into a part of the period. */
import { computed, effect, signal } from '@preact/signals';
import { changeView, view } from '../../state.js';
import type { Span } from '../../view.js';
import { drawn } from './data.js';
import { type Point, wholeSteps } from './points.js';

/** Start of the step that is pointed at; null: none, and the newest is told. */
export const pointed = signal<number | null>(null);
/** What Shift and an arrow key have selected so far. */
export const selected = signal<Span | null>(null);

effect(() => {
  // A moment of another period means nothing.
  void view.value.range;
  void view.value.zoom;
  pointed.value = null;
  selected.value = null;
});

/** What the legends tell of. */
export const told = computed<Point | null>(() => {
  const points = drawn.value?.points;
  const at = pointed.value;
  return points?.find(({ start }) => start === at) ?? points?.at(-1) ?? null;
});

/** Zooms into the steps that a span touches. */
export function zoomInto(span: Span): void {
  const stepMs = drawn.peek()?.stepMs;
  if (stepMs === undefined) return;
  const zoom = wholeSteps(span, stepMs);
  pointed.value = null;
  selected.value = null;
  changeView({ zoom }, 'step');
}

export function zoomOut(): void {
  if (view.peek().zoom !== null) changeView({ zoom: null }, 'step');
}

/** What a key does on a chart. @returns whether it did anything */
export function pressed(key: string, shift: boolean): boolean {
  const data = drawn.peek();
  if (data === null || data.points.length === 0) return false;
  const { points, stepMs } = data;
  const last = points.length - 1;
  const found = points.findIndex(({ start }) => start === pointed.peek());
  const now = found < 0 ? last : found;
  const page = Math.max(2, Math.round(points.length / 10));
  const moves: Readonly<Record<string, number>> = {
    ArrowLeft: now - 1,
    ArrowRight: now + 1,
    ArrowDown: now - 1,
    ArrowUp: now + 1,
    PageDown: now - page,
    PageUp: now + page,
    Home: 0,
    End: last,
  };
  const target = moves[key];
  if (target !== undefined) {
    const at = points[Math.min(last, Math.max(0, target))]?.start ?? null;
    if (at === null) return false;
    if (shift) select(points[now]?.start ?? at, at, stepMs);
    else selected.value = null;
    pointed.value = at;
    return true;
  }
  const span = selected.peek();
  if (key === 'Enter' && span !== null) zoomInto(span);
  else if (key === 'Escape' && span !== null) selected.value = null;
  else if (key === 'Escape') zoomOut();
  else return false;
  return true;
}

/** Grows or shrinks the selection at the end that moves. */
function select(from: number, to: number, stepMs: number): void {
  const span = selected.peek();
  const fixed = span === null ? from : span.from === from ? span.to - stepMs : span.from;
  selected.value = { from: Math.min(fixed, to), to: Math.max(fixed, to) + stepMs };
}

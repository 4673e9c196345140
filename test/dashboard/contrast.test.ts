/** WCAG 2.2, 1.4.3 and 1.4.11 over the colours of the page, in both themes. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = ['tokens', 'charts']
  .map((name) => readFileSync(`dashboards/live/src/styles/${name}.css`, 'utf8'))
  .join('\n');
const colours = new Map<string, { light: string; dark: string }>();
for (const [, name, light, dark] of css.matchAll(
  /--([\w-]+):\s*light-dark\(\s*(#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\s*\)/g,
)) {
  colours.set(name as string, { light: light as string, dark: dark as string });
}

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function of(name: string, theme: 'light' | 'dark'): string {
  const found = colours.get(name);
  if (found === undefined) throw new Error(`tokens.css has no colour --${name}`);
  return found[theme];
}

const GROUNDS = ['ground', 'panel', 'raised'];
const pairs: readonly (readonly [string, string, number])[] = [
  ...GROUNDS.flatMap((ground) =>
    ['text', 'quiet', 'accent', 'good', 'warn', 'bad'].map((text) => [text, ground, 4.5] as const),
  ),
  ...['good-ground', 'warn-ground', 'bad-ground', 'accent-ground'].flatMap((ground) =>
    ['text', 'quiet'].map((text) => [text, ground, 4.5] as const),
  ),
  ...['good', 'warn', 'bad'].flatMap((text) => [
    [text, `${text}-ground`, 4.5] as const,
    ['good', `${text}-ground`, 4.5] as const,
    ['panel', text, 3] as const,
  ]),
  ...[...css.matchAll(/--(curve-\w+): light-dark/g)].map(
    ([, curve]) => [curve as string, 'panel', 3] as const,
  ),
  ...GROUNDS.map((ground) => ['edge', ground, 3] as const),
];

describe.each(['light', 'dark'] as const)('%s', (theme) => {
  it.each(pairs)('%s on %s keeps %d:1', (text, ground, least) => {
    expect(contrast(of(text, theme), of(ground, theme))).toBeGreaterThanOrEqual(least);
  });
});

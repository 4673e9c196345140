/** The exposition: everything is read from the view at the moment of the scrape; nothing is counted here. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { resourcesOf } from '../../streams/resources.js';
import { accessFamilies } from './access-families.js';
import { alertFamilies } from './alert-families.js';
import type { AttemptStats } from './attempts.js';
import { celeryFamilies } from './celery-families.js';
import {
  CONTENT_TYPES,
  chooseFormat,
  expose,
  type Family,
  type Format,
  type Labels,
  type Sample,
} from './exposition.js';
import { componentFamilies, resourceFamilies } from './health-families.js';
import { auditFamilies, historyFamilies } from './history-families.js';
import type { LiveStats } from './live.js';
import { liveFamilies, snapshotFamilies, sourceFamilies } from './monitor-families.js';
import { totalsFamilies } from './totals-families.js';
import type { MonitorView } from './view.js';
import { windowFamilies } from './window-families.js';

export interface MetricsOptions {
  readonly liveStats: () => LiveStats;
  /** Of wrong tokens. */
  readonly attemptStats?: () => AttemptStats;
  /** How long a scrape may be answered with the last exposition, ms. */
  readonly cacheTtlMs: number;
  readonly version: string;
  /** This host's clock, ms. */
  readonly now: () => number;
}

export interface Scrape {
  readonly contentType: string;
  readonly body: string;
}

export interface Metrics {
  /** @param accept the request's Accept header. */
  scrape(accept: string | undefined): Promise<Scrape>;
  /** Of Celery, on a page of its own. */
  scrapeCelery(accept: string | undefined): Promise<Scrape>;
}

const TYPES: readonly Family['type'][] = ['counter', 'gauge', 'histogram', 'summary'];

/** The Node.js defaults, out of prom-client's registry into this folder's form. */
async function nodeFamilies(registry: Registry): Promise<readonly Family[]> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map((metric) => {
    // Declared as a numeric enum, a name at run time.
    const type = TYPES.find((known) => known === String(metric.type)) ?? 'unknown';
    const samples = metric.values.map((value): Sample => {
      const labels: Labels = Object.fromEntries(
        Object.entries(value.labels).map(([name, label]) => [name, String(label)]),
      );
      const full = 'metricName' in value ? value.metricName : undefined;
      const suffix = typeof full === 'string' ? full.slice(metric.name.length) : '';
      return { labels, value: value.value, suffix };
    });
    return { name: metric.name, help: metric.help, type, samples };
  });
}

/** The metrics of one app, with a registry of its own: two apps in one process do not share their counters. */
export function createMetrics(view: MonitorView, options: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const render = async (): Promise<readonly Family[]> => {
    const ofNode = await nodeFamilies(registry);
    const snapshot = view.latest();
    const { components } = view.getSystemHealth();
    return [
      ...totalsFamilies(view.totals()),
      ...(snapshot === null ? [] : windowFamilies(snapshot)),
      ...alertFamilies(view.alerts?.()),
      ...componentFamilies(components),
      ...resourceFamilies(resourcesOf(components)),
      ...sourceFamilies(view.source()),
      ...snapshotFamilies(snapshot),
      ...historyFamilies(view.history?.()),
      ...auditFamilies(view.audit?.()),
      ...liveFamilies(options.liveStats(), options.version),
      ...(options.attemptStats ? accessFamilies(options.attemptStats()) : []),
      ...ofNode,
    ];
  };
  return {
    scrape: cached(render, options),
    scrapeCelery: cached(async () => celeryFamilies(view.celery?.()), options),
  };
}

/** Answers scrapes, and with the last exposition where that is new enough. */
function cached(
  render: () => Promise<readonly Family[]>,
  { now: clock, cacheTtlMs }: Pick<MetricsOptions, 'now' | 'cacheTtlMs'>,
): Metrics['scrape'] {
  const write = async (format: Format): Promise<Scrape> => ({
    contentType: CONTENT_TYPES[format],
    body: expose(await render(), format),
  });
  const cache = new Map<Format, { readonly at: number; readonly scrape: Promise<Scrape> }>();
  return (accept) => {
    const format = chooseFormat(accept);
    const now = clock();
    const last = cache.get(format);
    // A clock that was set back must not keep an old exposition alive.
    if (last !== undefined && now >= last.at && now - last.at < cacheTtlMs) return last.scrape;
    const scrape = write(format);
    cache.set(format, { at: now, scrape });
    // A failed one is not worth keeping; its caller gets the failure.
    scrape.catch(() => cache.delete(format));
    return scrape;
  };
}

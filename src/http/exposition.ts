/**
 * Metric families and their two text forms: Prometheus 0.0.4 and OpenMetrics 1.0.
 *
 * Written here rather than by prom-client's registry, whose OpenMetrics form renames its counters for good (a later
 * scrape in the other form then loses `_total`), and whose histograms cannot be filled from values counted elsewhere.
 */

export type Labels = Readonly<Record<string, string>>;

/** The row behind a bucket of a histogram; shown in OpenMetrics only. */
export interface ExemplarSample {
  readonly labels: Labels;
  readonly value: number;
  /** Seconds of the Unix epoch; null where there is no moment to tell. */
  readonly timestampSeconds: number | null;
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix?: string;
  readonly exemplar?: ExemplarSample | undefined;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';
  readonly samples: readonly Sample[];
}

export type Format = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

// The specification: label names and values of an exemplar together hold at most 128 characters.
const EXEMPLAR_LIMIT = 128;

/** The form a scraper asks for: OpenMetrics only where its Accept header names it with a weight above 0. */
export function chooseFormat(accept: string | undefined): Format {
  for (const range of (accept ?? '').split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (type !== 'application/openmetrics-text') continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    if (weight === undefined || Number(weight.slice(2)) > 0) return 'openmetrics';
  }
  return 'prometheus';
}

const escapeHelp = (text: string, format: Format): string => {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return format === 'openmetrics' ? escaped.replaceAll('"', '\\"') : escaped;
};

const ESCAPED = /[\\\n"]/;

/** Nearly all are as they are, and a scrape has thousands. */
const escapeLabel = (text: string): string =>
  ESCAPED.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"') : text;

function formatLabels(labels: Labels, format: Format): string {
  let inner = '';
  for (const name in labels) {
    const value = labels[name] ?? '';
    // OpenMetrics writes bounds as floats: le="1.0".
    const text = format === 'openmetrics' && name === 'le' && /^\d+$/.test(value) ? `${value}.0` : value;
    inner += `${inner === '' ? '' : ','}${name}="${escapeLabel(text)}"`;
  }
  return inner === '' ? '' : `{${inner}}`;
}

function formatValue(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function formatExemplar(exemplar: ExemplarSample): string {
  let length = 0;
  for (const name in exemplar.labels) length += [...name].length + [...(exemplar.labels[name] ?? '')].length;
  if (length > EXEMPLAR_LIMIT) return '';
  const labels = formatLabels(exemplar.labels, 'openmetrics') || '{}';
  const moment = exemplar.timestampSeconds === null ? '' : ` ${exemplar.timestampSeconds}`;
  return ` # ${labels} ${formatValue(exemplar.value)}${moment}`;
}

function formatFamily(family: Family, format: Format, lines: string[]): void {
  const isCounter = family.type === 'counter';
  // OpenMetrics names a counter's family without the suffix that its sample carries.
  const base = isCounter ? family.name.replace(/_total$/, '') : family.name;
  const name = format === 'openmetrics' ? base : family.name;
  const type = family.type === 'unknown' && format === 'prometheus' ? 'untyped' : family.type;
  lines.push(`# HELP ${name} ${escapeHelp(family.help, format)}`, `# TYPE ${name} ${type}`);
  const sampleName = isCounter && format === 'openmetrics' ? `${base}_total` : family.name;
  for (const sample of family.samples) {
    const labels = formatLabels(sample.labels, format);
    const line = `${sampleName}${sample.suffix ?? ''}${labels} ${formatValue(sample.value)}`;
    const exemplar =
      format === 'openmetrics' && sample.exemplar !== undefined ? formatExemplar(sample.exemplar) : '';
    lines.push(line + exemplar);
  }
}

/** The text of all families in one form. A family without samples keeps its HELP and TYPE lines. */
export function expose(families: readonly Family[], format: Format): string {
  const lines: string[] = [];
  for (const family of families) formatFamily(family, format, lines);
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

/** One rule of the rules file: a standard one changed, or a new one. */
import { COMPARISONS, MEASURES, type Measure, type Rule } from '../../streams/alert.js';
import { nearest } from '../../streams/nearest.js';
import { RESOLVE_FOR_SECONDS } from '../../streams/rules.js';
import { unitOf } from './message.js';
import type { Field, YamlReader } from './yaml-reader.js';

export interface RuleContext {
  readonly name: string;
  /** The standard rule of this name; its threshold is NaN while it is off. Null: the rule is a new one. */
  readonly standard: Rule | null;
  /** Names of all standard rules. */
  readonly known: readonly string[];
  readonly receivers: readonly string[];
  /** Not empty. */
  readonly components: readonly string[];
}

const CHANGES = [
  'enabled',
  'severity',
  'threshold',
  'minimum_count',
  'for',
  'resolve_for',
  'receivers',
] as const;
const OF_NEW = ['measure', 'operation_type', 'comparison'] as const;
const NAME = /^[a-z][a-z0-9_]{0,62}$/;
const COMPONENT = 'component:';
/** What is asked of a component or the server and not of rows. */
const OF_HEALTH: readonly string[] = ['connections_percent', 'disk_used_percent', 'monitor_degraded'];
const TYPED = /_(1m|5m|1h|24h)$/;

/** The rule; 'off' where the file turns it off; null where a mistake was noted. */
export function readRule(reader: YamlReader, field: Field, context: RuleContext): Rule | 'off' | null {
  const { name, standard } = context;
  const before = reader.faults;
  const entries = reader.entries(field);
  if (reader.faults > before) return null;
  // Without a measure it can only be meant to change a standard rule, whose name is then misspelt.
  if (!standard && !entries.has('measure')) {
    reader.fault(
      { ...field, value: null },
      `is not known; the nearest rule is ${nearest(name, context.known)} (a new rule needs a measure)`,
    );
    return null;
  }
  if (!standard && !NAME.test(name)) {
    reader.fault(
      { ...field, value: null },
      'is no name of a rule; allowed: a-z, 0-9 and _, up to 63 characters',
    );
    return null;
  }
  for (const key of OF_NEW) {
    const one = standard ? entries.get(key) : undefined;
    if (one)
      reader.fault(
        one,
        `cannot be changed: ${name} looks at ${standard?.measure}; add a rule of another name`,
      );
  }
  const fields = reader.fields(field, [...CHANGES, ...OF_NEW]);
  const measure = standard?.measure ?? readMeasure(reader, fields.get('measure'), context.components);
  const enabled = reader.flag(fields.get('enabled')) ?? true;
  const rule = {
    severity:
      reader.choice(fields.get('severity'), ['critical', 'warning']) ?? standard?.severity ?? 'warning',
    comparison: reader.choice(fields.get('comparison'), COMPARISONS) ?? standard?.comparison ?? 'above',
    threshold: readThreshold(reader, fields.get('threshold'), measure) ?? standard?.threshold,
    minimumCount:
      reader.number(fields.get('minimum_count'), { min: 0, max: 1e9, whole: true }) ??
      standard?.minimumCount ??
      0,
    forSeconds: reader.seconds(fields.get('for')) ?? standard?.forSeconds ?? 0,
    resolveForSeconds:
      reader.seconds(fields.get('resolve_for')) ?? standard?.resolveForSeconds ?? RESOLVE_FOR_SECONDS,
    receivers: readReceiverNames(reader, fields.get('receivers'), context.receivers) ?? standard?.receivers,
    operationType: readType(reader, fields.get('operation_type'), measure),
  };
  const threshold = rule.threshold ?? (measure?.startsWith(COMPONENT) ? 0 : Number.NaN);
  if (enabled && measure !== undefined && Number.isNaN(threshold) && !fields.has('threshold'))
    reader.fault({ ...field, value: null }, 'has no threshold; allowed: a number from 0');
  if (reader.faults > before || measure === undefined) return null;
  if (!enabled) return 'off';
  const over = measure.startsWith(COMPONENT) || OF_HEALTH.includes(measure) ? 'health' : 'rows';
  return { name, measure, over: standard?.over ?? over, ...rule, threshold };
}

function readMeasure(
  reader: YamlReader,
  field: Field | undefined,
  components: readonly string[],
): Measure | undefined {
  const text = reader.text(field, 'the name of a measure');
  if (!field || text === undefined) return undefined;
  if (text.startsWith(COMPONENT)) {
    const name = text.slice(COMPONENT.length);
    if (components.includes(name)) return `component:${name}`;
    reader.fault(
      field,
      `is "${text}", a component that is not known; the nearest is ${nearest(name, components)}`,
    );
    return undefined;
  }
  const found = MEASURES.find((measure) => measure === text);
  if (found === undefined)
    reader.fault(field, `is "${text}", which is not known; the nearest is ${nearest(text, MEASURES)}`);
  return found;
}

function readThreshold(
  reader: YamlReader,
  field: Field | undefined,
  measure: Measure | undefined,
): number | undefined {
  return reader.number(field, { min: 0, max: unitOf(measure) === 'percent' ? 100 : Number.MAX_SAFE_INTEGER });
}

function readType(
  reader: YamlReader,
  field: Field | undefined,
  measure: Measure | undefined,
): string | undefined {
  const type = reader.text(field, 'an operation type');
  if (!field || type === undefined || measure === undefined) return type;
  const typed = TYPED.test(measure) && measure !== 'customers_affected_5m';
  if (!typed && measure !== 'pending' && measure !== 'pending_age_seconds')
    reader.fault(field, `cannot be given: ${measure} is not measured by operation type`);
  return type;
}

function readReceiverNames(
  reader: YamlReader,
  field: Field | undefined,
  known: readonly string[],
): string[] | undefined {
  const names = reader.texts(field);
  for (const { text, field: one } of names ?? [])
    if (!known.includes(text))
      reader.fault(
        one,
        known.length === 0
          ? `is "${text}", and no receiver is configured`
          : `is "${text}", which is no receiver; the nearest is ${nearest(text, known)}`,
      );
  return names?.map(({ text }) => text);
}

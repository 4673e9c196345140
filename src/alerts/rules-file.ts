/**
 * The rules file (ALERT_RULES_FILE): changes rules, adds some, names receivers and texts. Every mistake is reported,
 * all of them at once, each in one sentence with line and column.
 *
 *     rules:
 *       high_error_rate: { threshold: 5, for: 2m, receivers: [ops] }
 *       slow_export: { measure: duration_p99_5m, operation_type: export_to_1c, threshold: 5000, severity: warning }
 *     receivers:
 *       ops: { url: https://hooks.slack.com/services/..., locale: ru }
 *     templates:
 *       default: { title: "{severity}: {name} {value}" }
 */
import type { Rule } from '../../streams/alert.js';
import { nearest } from '../../streams/nearest.js';
import { defaultRules, type Thresholds } from '../../streams/rules.js';
import {
  type Receiver,
  type ReceiverDefaults,
  ReceiverError,
  type ReceiverSpec,
  receiverOf,
} from './receivers.js';
import { readRule } from './rules-file-rule.js';
import {
  PLACEHOLDERS,
  TEMPLATE_KEYS,
  type TemplateBook,
  type Templates,
  unknownPlaceholders,
} from './texts.js';
import { type Field, YamlReader } from './yaml-reader.js';

export interface RulesFileContext {
  /** The file's name, for messages. */
  readonly file: string;
  readonly thresholds: Thresholds;
  /** Names of the receivers of WEBHOOK_ALERT_URL. */
  readonly receivers: readonly string[];
  readonly defaults: ReceiverDefaults;
  /** Names of the components of health, which `component:` may name; not empty. */
  readonly components: readonly string[];
  /** The text of a file that `url_file` or `secret_file` names. @throws when it cannot be had */
  readonly readSecret: (file: string) => string;
}

export interface RulesFile {
  /** All that run: the standard ones, changed, and those that were added. */
  readonly rules: readonly Rule[];
  /** Of the file alone. */
  readonly receivers: readonly Receiver[];
  readonly templates: TemplateBook;
}

export type RulesFileResult = { readonly file: RulesFile } | { readonly problems: readonly string[] };

const SECTIONS = ['rules', 'receivers', 'templates'] as const;
const RECEIVER_KEYS = [
  'url',
  'url_file',
  'format',
  'secret',
  'secret_file',
  'locale',
  'chat_id',
  'thread_id',
  'headers',
];
const MOST_RULES = 200;
const MOST_RECEIVERS = 50;
const LONGEST_TEMPLATE = 2_000;

/** Checks everything. What it gives is complete, or nothing. */
export function parseRulesFile(text: string, context: RulesFileContext): RulesFileResult {
  const reader = new YamlReader(context.file, text);
  const { root } = reader;
  const sections = root ? reader.fields(root, SECTIONS) : new Map<string, Field>();
  const receivers = readReceivers(reader, sections.get('receivers'), context);
  const rules = readRules(reader, sections.get('rules'), context, receivers.names);
  const templates = readTemplates(reader, sections.get('templates'), rules.names);
  if (reader.faults > 0) return { problems: reader.problems };
  return { file: { rules: rules.rules, receivers: receivers.receivers, templates } };
}

function readRules(
  reader: YamlReader,
  section: Field | undefined,
  { thresholds, components }: RulesFileContext,
  receivers: readonly string[],
): { rules: Rule[]; names: string[] } {
  const rules = new Map(defaultRules(thresholds).map((rule) => [rule.name, rule]));
  // Off as long as nobody gives them a threshold; the file may.
  const off = new Map(
    defaultRules({
      ...thresholds,
      ALERT_NO_ACTIVITY_MINUTES: thresholds.ALERT_NO_ACTIVITY_MINUTES ?? Number.NaN,
      ALERT_CUSTOMERS_AFFECTED: thresholds.ALERT_CUSTOMERS_AFFECTED ?? Number.NaN,
    })
      .filter(({ name }) => !rules.has(name))
      .map((rule) => [rule.name, rule]),
  );
  const known = [...rules.keys(), ...off.keys()];
  const fields = section ? reader.entries(section) : new Map<string, Field>();
  if (section && fields.size > MOST_RULES)
    reader.fault(section, `has ${fields.size} rules; allowed: ${MOST_RULES}`);
  for (const [name, field] of fields) {
    const standard = rules.get(name) ?? off.get(name) ?? null;
    const read = readRule(reader, field, { name, standard, known, receivers, components });
    if (read === 'off') rules.delete(name);
    else if (read !== null) rules.set(name, read);
  }
  return { rules: [...rules.values()], names: [...new Set([...known, ...fields.keys()])] };
}

function readReceivers(
  reader: YamlReader,
  section: Field | undefined,
  context: RulesFileContext,
): { receivers: Receiver[]; names: string[] } {
  const receivers: Receiver[] = [];
  const names = [...context.receivers];
  if (!section) return { receivers, names };
  const entries = reader.entries(section);
  if (entries.size > MOST_RECEIVERS)
    reader.fault(section, `has ${entries.size} receivers; allowed: ${MOST_RECEIVERS}`);
  for (const [name, field] of entries) {
    if (names.includes(name))
      reader.fault({ ...field, value: null }, 'is the name of a receiver of WEBHOOK_ALERT_URL already');
    names.push(name);
    const fields = reader.fields(field, RECEIVER_KEYS);
    const spec = receiverSpec(reader, name, field, fields, context);
    if (spec === null) continue;
    try {
      receivers.push(receiverOf(spec, context.defaults));
    } catch (error) {
      if (!(error instanceof ReceiverError)) throw error;
      const where = fields.get(error.field) ?? fields.get(`${error.field}_file`);
      reader.fault(where ?? { ...field, value: null, path: `${field.path}.${error.field}` }, error.message);
    }
  }
  return { receivers, names };
}

function receiverSpec(
  reader: YamlReader,
  name: string,
  field: Field,
  fields: ReadonlyMap<string, Field>,
  context: RulesFileContext,
): ReceiverSpec | null {
  const url = secretText(reader, fields, 'url', context);
  const headers = fields.get('headers');
  const spec = {
    name,
    format: reader.text(fields.get('format')),
    secret: secretText(reader, fields, 'secret', context),
    locale: reader.text(fields.get('locale')),
    chat_id: reader.text(fields.get('chat_id')),
    thread_id: reader.number(fields.get('thread_id'), { min: 1, max: Number.MAX_SAFE_INTEGER, whole: true }),
    headers: headers
      ? Object.fromEntries([...reader.entries(headers)].map(([key, one]) => [key, reader.text(one) ?? '']))
      : undefined,
  };
  if (url !== undefined) return { ...spec, url };
  if (!fields.has('url') && !fields.has('url_file'))
    reader.fault(
      { ...field, value: null },
      'has no url; allowed: url, or url_file with the path of a file that holds it',
    );
  return null;
}

/** A value that may stand in a file of its own, for it is a secret. */
function secretText(
  reader: YamlReader,
  fields: ReadonlyMap<string, Field>,
  key: 'url' | 'secret',
  { readSecret }: RulesFileContext,
): string | undefined {
  const path = fields.get(`${key}_file`);
  if (!path) return reader.text(fields.get(key), key === 'url' ? 'an address: https://host/path' : 'text');
  if (fields.has(key)) reader.fault(path, `and ${key} are both set; set one`);
  const file = reader.text(path, 'the path of a file');
  if (file === undefined) return undefined;
  try {
    return readSecret(file);
  } catch (error) {
    reader.fault(path, `is ${JSON.stringify(file)}, which cannot be used: ${(error as Error).message}`);
    return undefined;
  }
}

function readTemplates(
  reader: YamlReader,
  section: Field | undefined,
  rules: readonly string[],
): Record<string, Templates> {
  const book: Record<string, Templates> = {};
  if (!section) return book;
  for (const [rule, field] of reader.fields(section, ['default', ...rules])) {
    const templates: { -readonly [K in keyof Templates]: string } = {};
    for (const [key, one] of reader.fields(field, TEMPLATE_KEYS)) {
      const template = reader.text(one);
      if (template === undefined) continue;
      if (template.length > LONGEST_TEMPLATE)
        reader.fault(one, `has ${template.length} characters; allowed: ${LONGEST_TEMPLATE}`);
      for (const name of unknownPlaceholders(template))
        reader.fault(
          one,
          `names {${name}}, which is not known; the nearest is {${nearest(name, PLACEHOLDERS)}}`,
        );
      templates[key as keyof Templates] = template;
    }
    book[rule] = templates;
  }
  return book;
}

/** Reads a YAML file by the fields it may have, and notes each mistake with its line and column instead of stopping. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { nearest } from '../../streams/nearest.js';

/** A value and where it stands. */
export interface Field {
  /** `rules.high_error_rate.threshold` */
  readonly path: string;
  readonly value: Node | null;
  /** Offsets in the text: of the key, or of the value where it has none. */
  readonly at: number;
}

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };
const DAY_SECONDS = 86_400;
const SHOWN = 60;

export class YamlReader {
  readonly #problems: { offset: number; text: string }[] = [];
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document;

  /** @param file its name, for messages */
  constructor(file: string, text: string) {
    this.#file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    for (const { pos, message } of [...this.#document.errors, ...this.#document.warnings])
      this.#note(pos[0], sentence(message));
    visit(this.#document, {
      Alias: (_, alias) => {
        if (!alias.resolve(this.#document))
          this.#note(alias.range?.[0] ?? 0, sentence(`nothing before it is marked &${alias.source}`));
      },
    });
  }

  /** One sentence each, in the order of the text. */
  get problems(): string[] {
    return [...this.#problems].sort((a, b) => a.offset - b.offset).map(({ text }) => text);
  }

  /** How many mistakes were noted so far. */
  get faults(): number {
    return this.#problems.length;
  }

  /** The whole; null where it is empty or no YAML. */
  get root(): Field | null {
    const value = this.#document.contents;
    if (this.faults > 0 || value === null) return null;
    return { path: '', value: value as Node, at: value.range?.[0] ?? 0 };
  }

  /** Notes a mistake; the message goes on after the field's path. */
  fault(field: Field, message: string): void {
    this.#note(
      this.#resolved(field)?.range?.[0] ?? field.at,
      `${field.path === '' ? 'the file' : field.path} ${message}`,
    );
  }

  /** The fields of a mapping; those that are not among the known ones are mistakes, and left out. */
  fields(field: Field, known: readonly string[]): ReadonlyMap<string, Field> {
    const all = this.entries(field);
    for (const [name, one] of all) {
      if (known.includes(name)) continue;
      this.#note(one.at, `${one.path} is not known; the nearest is ${nearest(name, known)}`);
      all.delete(name);
    }
    return all;
  }

  /** The fields of a mapping with names of the file's own. */
  entries(field: Field): Map<string, Field> {
    const found = new Map<string, Field>();
    const value = this.#resolved(field);
    if (value === null || (isScalar(value) && value.value === null)) return found;
    if (!isMap(value)) {
      this.fault(field, `is ${kindOf(value)}; allowed: names with their values`);
      return found;
    }
    for (const { key, value: inside } of value.items) {
      const name = isScalar(key) ? String(key.value) : '?';
      const at = isScalar(key) ? (key.range?.[0] ?? field.at) : field.at;
      const path = field.path === '' ? name : `${field.path}.${name}`;
      found.set(name, { path, at, value: inside as Node | null });
    }
    return found;
  }

  text(field: Field | undefined, allowed = 'text'): string | undefined {
    return this.#scalar(field, allowed, (value) => {
      if (typeof value === 'string' && value !== '') return value;
      return typeof value === 'number' ? String(value) : undefined;
    });
  }

  flag(field: Field | undefined): boolean | undefined {
    return this.#scalar(field, 'true, false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  number(field: Field | undefined, { min, max, whole }: NumberRange): number | undefined {
    const kind = whole ? 'a whole number' : 'a number';
    const range = max === Number.POSITIVE_INFINITY ? `from ${min}` : `from ${min} to ${max}`;
    return this.#scalar(field, `${kind} ${range}`, (value) =>
      typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value))
        ? value
        : undefined,
    );
  }

  /** Seconds: a number of them, or `90s`, `5m`, `2h`. */
  seconds(field: Field | undefined): number | undefined {
    return this.#scalar(field, 'seconds, or a time such as 90s, 5m, 2h, up to a day', (value) => {
      const [, amount, unit = 's'] = /^(\d{1,9}(?:\.\d{1,3})?)([smh])?$/.exec(String(value)) ?? [];
      const seconds = Number(amount) * (UNITS[unit] ?? 1);
      return seconds <= DAY_SECONDS ? seconds : undefined;
    });
  }

  choice<const T extends string>(field: Field | undefined, allowed: readonly T[]): T | undefined {
    return this.#scalar(field, allowed.join(', '), (value) => allowed.find((word) => word === value));
  }

  /** A list of texts, or one of them alone. */
  texts(field: Field | undefined): { readonly text: string; readonly field: Field }[] | undefined {
    if (!field) return undefined;
    const value = this.#resolved(field);
    const items = isSeq(value) ? value.items : [value];
    const found = items.map((item, i) => {
      const path = isSeq(value) ? `${field.path}[${i}]` : field.path;
      const one = { path, at: field.at, value: item as Node | null };
      return { text: this.text(one), field: one };
    });
    return found.flatMap(({ text, field: one }) => (text === undefined ? [] : [{ text, field: one }]));
  }

  #scalar<T>(
    field: Field | undefined,
    allowed: string,
    read: (value: unknown) => T | undefined,
  ): T | undefined {
    if (!field) return undefined;
    const node = this.#resolved(field);
    const found = isScalar(node) ? read(node.value) : undefined;
    if (found === undefined) this.fault(field, `is ${kindOf(node)}; allowed: ${allowed}`);
    return found;
  }

  #resolved({ value }: Field): Node | null {
    // One that leads nowhere is a mistake of its own, noted at the start.
    return (isAlias(value) ? value.resolve(this.#document) : value) ?? null;
  }

  #note(offset: number, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.#problems.push({
      offset,
      text: `${this.#file}:${Math.max(1, line)}:${Math.max(1, col)}: ${message}`,
    });
  }
}

function kindOf(node: Node | null): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node) || node.value === null) return 'empty';
  const shown = JSON.stringify(node.value) ?? String(node.value);
  return shown.length <= SHOWN ? shown : `${shown.slice(0, SHOWN)}…`;
}

/** The library's words without its line ends, as one sentence. */
function sentence(message: string): string {
  return `this is no YAML: ${message.replace(/\s+/g, ' ').trim()}`;
}

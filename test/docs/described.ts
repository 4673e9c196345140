/** What /openapi.json says of the parts of an answer: which keys are fixed, and which are values of their own. */
import type { Document } from '../http/document.js';

export type Schema = Readonly<Record<string, unknown>>;

const COMPONENTS = '#/components/schemas/';

/** All that a value here may be: references followed, alternatives laid side by side. */
export class Described {
  readonly #document: Document;
  readonly #variants: readonly Schema[];

  constructor(document: Document, schemas: readonly Schema[]) {
    this.#document = document;
    this.#variants = schemas.flatMap((schema) => this.#resolved(schema));
  }

  /** Its keys are values: operation types, components, queues. */
  get isMap(): boolean {
    return this.#variants.some(
      (one) => typeof one.additionalProperties === 'object' && one.properties === undefined,
    );
  }

  key(name: string): Described {
    return this.#of(
      this.#variants.flatMap((one) => [propertiesOf(one)[name] ?? one.additionalProperties ?? null]),
    );
  }

  get item(): Described {
    return this.#of(this.#variants.flatMap((one) => [one.items ?? null]));
  }

  /** Whether the key may be absent from an answer that is as described. */
  mayLack(name: string): boolean {
    const [tellers, silent] = [
      this.#variants.filter((one) => name in propertiesOf(one)),
      this.#variants.filter((one) => one.properties !== undefined && !(name in propertiesOf(one))),
    ];
    return (
      silent.length > 0 || tellers.some((one) => !Array.isArray(one.required) || !one.required.includes(name))
    );
  }

  #of(schemas: readonly unknown[]): Described {
    return new Described(this.#document, schemas.filter(isSchema));
  }

  #resolved(schema: Schema): Schema[] {
    if (typeof schema.$ref === 'string') {
      const component = this.#document.components.schemas[schema.$ref.replace(COMPONENTS, '')];
      if (component === undefined) throw new Error(`${schema.$ref} is not in the document`);
      return this.#resolved(component);
    }
    const { anyOf, oneOf, allOf } = schema;
    const parts = [anyOf, oneOf, allOf].filter(Array.isArray).flat().filter(isSchema);
    return parts.length === 0 ? [schema] : parts.flatMap((part) => this.#resolved(part));
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null;
}

function propertiesOf(schema: Schema): Readonly<Record<string, unknown>> {
  return isSchema(schema.properties) ? schema.properties : {};
}

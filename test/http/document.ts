/** /openapi.json as a judge of real answers: its own JSON Schemas decide, not the zod schemas that it was made of. */
import { z } from 'zod';

interface Content {
  readonly schema: Record<string, unknown>;
}

export interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Record<string, unknown>>> };
}

const COMPONENTS = '#/components/schemas/';

export class Judge {
  readonly document: Document;
  readonly #known = new Map<string, z.ZodType>();

  constructor(document: Document) {
    this.document = document;
  }

  /** @throws with path and status when the document does not tell of this answer, or tells otherwise. */
  async judge(path: string, method: string, response: Response): Promise<void> {
    const where = `${method} ${path} ${response.status}`;
    const answer = this.document.paths[path]?.[method]?.responses[response.status];
    const type = response.headers
      .get('content-type')
      ?.split(';')[0]
      ?.replace('application/openmetrics-text', 'text/plain');
    const content = answer?.content?.[type ?? ''];
    if (content === undefined) throw new Error(`${where} ${type} is not in the document`);
    const text = await response.text();
    this.#check(where, content.schema, type === 'application/json' ? JSON.parse(text) : text);
  }

  /** Holds a value against a component. @throws with what differs. */
  component(name: string, value: unknown): void {
    this.#check(name, { $ref: `${COMPONENTS}${name}` }, value);
  }

  #check(where: string, schema: Record<string, unknown>, value: unknown): void {
    const text = JSON.stringify({ ...schema, $defs: this.document.components.schemas });
    const key = JSON.stringify(schema);
    const judge =
      this.#known.get(key) ?? z.fromJSONSchema(JSON.parse(text.replaceAll(COMPONENTS, '#/$defs/')));
    this.#known.set(key, judge);
    const result = judge.safeParse(value);
    if (!result.success)
      throw new Error(`${where} is not as the document says: ${z.prettifyError(result.error)}`);
  }
}

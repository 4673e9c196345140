/**
 * dashboards/API.md: an example of every request with the answer of a running demo. `npm run docs:api` writes it anew;
 * else it is compared with what the demo answers now: the same requests, the same keys.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADDRESS, type Demo, MESSAGES, SUBSCRIBE, startDemo } from './demo.js';
import { Described, type Schema } from './described.js';
import { curl, inOrder, operationsOf, type Request, requestsFor } from './requests.js';
import { differences, laidOut, MORE, shortened } from './shown.js';

const FILE = resolve(import.meta.dirname, '..', '..', 'dashboards', 'API.md');
const WRITING = process.env.DOCS === 'write';
/** Of metrics, where the request does not say. */
const LINES = 4;
/** Its windows are long, and told as those of /operations/ and /business/ are. */
const MESSAGE_DEPTH: Readonly<Record<string, number>> = { snapshot: 2 };

interface Answered {
  readonly request: Request;
  readonly type: string;
  readonly text: string;
  readonly schema: Described;
}

let demo: Demo;
/** By `GET /path`, as the document has them. */
const answered = new Map<string, Answered[]>();

beforeAll(async () => {
  demo = await startDemo();
  // As the document has them, which is not the order in which they can be asked.
  for (const { path, method } of operationsOf(demo.document)) answered.set(nameOf(path, method), []);
  for (const { path, method } of inOrder(operationsOf(demo.document))) {
    const all: Answered[] = [];
    for (const request of requestsFor(path, method, demo.known)) all.push(await ask(request));
    answered.set(nameOf(path, method), all);
  }
}, 300_000);

afterAll(() => demo?.stop());

const nameOf = (path: string, method: string) => `${method.toUpperCase()} ${path}`;

async function ask(request: Request): Promise<Answered> {
  const { path, method, query, id, body, status } = request;
  const url = `${ADDRESS}${path.replace('{id}', id ?? '')}${query === undefined ? '' : `?${query}`}`;
  const response = await demo.get(url, {
    method: method.toUpperCase(),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect([method, url, response.status, text]).toEqual([method, url, status, text]);
  const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
  if (path === '/api/silences/' && method === 'post') demo.known.silenceId = String(JSON.parse(text).id);
  const contents = Object.values(demo.document.paths[path]?.[method]?.responses[status]?.content ?? {});
  const schema = new Described(
    demo.document,
    contents.map((content) => content.schema),
  );
  return { request, type, text, schema };
}

function ofMessage(message: unknown): Described {
  // A message is one of many; only that of its own type describes it.
  const { type } = message as { readonly type: string };
  const of = (schema: Schema): Schema[] => {
    const reference = typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1) : undefined;
    if (reference !== undefined) return of(demo.document.components.schemas[reference] ?? {});
    const parts = [schema.oneOf, schema.anyOf].filter(Array.isArray).flat() as Schema[];
    if (parts.length > 0) return parts.flatMap(of);
    const { properties } = schema as {
      readonly properties?: { readonly type?: { readonly const?: string } };
    };
    return properties?.type?.const === type ? [schema] : [];
  };
  return new Described(demo.document, of({ $ref: '#/components/schemas/ServerMessage' }));
}

const json = (value: unknown) => `\`\`\`json\n${laidOut(value)}\n\`\`\``;

function exampleOf({ request, type, text, schema }: Answered): string {
  const asked = `\`\`\`sh\n${curl(ADDRESS, request)}\n\`\`\``;
  const said = `\`${request.status} ${type}\``;
  if (type === 'application/json')
    return `${asked}\n\n${said}\n\n${json(shortened(JSON.parse(text), schema, request.depth))}`;
  if (type === 'text/html') return `${asked}\n\n${said}`;
  const lines = text.trimEnd().split('\n');
  const shown = lines.slice(0, request.lines ?? LINES);
  const rest = lines.length - shown.length;
  return `${asked}\n\n${said}\n\n\`\`\`\n${shown.join('\n')}\n${rest > 0 ? `${MORE} ${rest} more\n` : ''}\`\`\``;
}

function documentOf(): string {
  const parts = [...answered].map(([name, all]) => {
    const [path, method] = [all[0]?.request.path ?? '', all[0]?.request.method ?? ''];
    const operation = demo.document.paths[path]?.[method] as
      | { summary?: string; description?: string }
      | undefined;
    const { summary, description } = operation ?? {};
    const about = [summary, description].filter((one) => one !== undefined).join('. ');
    return [`## ${name}`, about.replace(/([^.])$/, '$1.'), ...all.map(exampleOf)].join('\n\n');
  });
  const messages = MESSAGES.map((type) => {
    const message = demo.messages.get(type);
    return `### ${type}\n\n${json(shortened(message, ofMessage(message), MESSAGE_DEPTH[type]))}`;
  });
  return `${[
    '# The API by example',
    'Every request of [/openapi.json](../README.md#commands), and what a running `sync-monitor demo` answered. `npm run docs:api` writes this file; a test compares it with what the demo answers now. `"..."` stands for what was left out. Where tokens are set add `-H "Authorization: Bearer $TOKEN"`.',
    'A fault is always `{"error": {"code", "message", ...}}`, the code for programs and the message for people: 400 for a parameter, 401 and 403 for access, 404, 405, 413, 429, and 503 while nothing can be measured.',
    ...parts,
    '## WebSocket messages',
    `The client says once what it wants to hear:\n\n${json(SUBSCRIBE)}`,
    'and is sent messages of these types. A window of `snapshot` has the keys of `/api/monitoring/operations/`, and `business`, those of `/api/monitoring/business/`.',
    ...messages,
  ].join('\n\n')}\n`;
}

/** The blocks of JSON below each heading. */
function documented(): Map<string, unknown[]> {
  const sections = readFileSync(FILE, 'utf8').split(/^##+ /m).slice(1);
  return new Map(
    sections.map((section) => [
      section.slice(0, section.indexOf('\n')),
      [...section.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text ?? '')),
    ]),
  );
}

if (WRITING)
  it('writes the document', () => {
    writeFileSync(FILE, documentOf());
  });

const STALE = '`npm run docs:api` writes it anew';

it('shows every path and method of the document, with each example, and no other', () => {
  const headings = [...documented().keys()].filter((name) => / \//.test(name));
  expect(headings, STALE).toEqual([...answered.keys()]);
  const commands = (text: string) =>
    [...text.matchAll(/^curl .*$/gm)].map(([line]) => line.replace(/\d/g, '0'));
  expect(commands(readFileSync(FILE, 'utf8')), STALE).toEqual(
    [...answered.values()].flat().map(({ request }) => curl(ADDRESS, request).replace(/\d/g, '0')),
  );
});

it('shows the keys that are answered', () => {
  const shown = documented();
  const faults = [...answered].flatMap(([name, all]) => {
    const ofJson = all.filter(({ type }) => type === 'application/json');
    const blocks = shown.get(name) ?? [];
    expect(blocks, name).toHaveLength(ofJson.length);
    return ofJson.flatMap(({ text, schema, request }, at) =>
      differences(blocks[at], shortened(JSON.parse(text), schema, request.depth), schema, name),
    );
  });
  expect(faults, STALE).toEqual([]);
});

it('shows the messages of the WebSocket as they are sent', () => {
  const shown = documented();
  expect(shown.get('WebSocket messages'), STALE).toEqual([SUBSCRIBE]);
  const faults = MESSAGES.flatMap((type) => {
    const message = demo.messages.get(type);
    return differences(
      shown.get(type)?.[0],
      shortened(message, ofMessage(message), MESSAGE_DEPTH[type]),
      ofMessage(message),
      type,
    );
  });
  expect(faults, STALE).toEqual([]);
});

it('shows no address, name or number of a person', () => {
  expect(readFileSync(FILE, 'utf8')).not.toMatch(/[\w.]{2,}@[\w.-]+|\+7\d{10}|\/(root|home|tmp|Users)\//);
});

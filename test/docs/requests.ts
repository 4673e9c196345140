/** The requests of dashboards/API.md. Paths of the document that are not named here are asked plainly. */
import type { Document } from '../http/document.js';

export interface Request {
  /** As the document has it. */
  readonly path: string;
  readonly method: string;
  /** What follows `?`. */
  readonly query?: string;
  readonly id?: string;
  readonly body?: object;
  readonly status: number;
  /** JSON below it is not shown. */
  readonly depth?: number;
  /** Of text, how many are shown; default 4. */
  readonly lines?: number;
}

/** What requests have to know of earlier answers, and of the data. */
export interface Known {
  /** Yesterday, `2026-03-01`, in UTC. */
  readonly yesterday: string;
  readonly today: string;
  /** Two hours from now, ISO 8601. */
  readonly later: string;
  alertId: string;
  silenceId: string;
}

type Named = Omit<Request, 'path' | 'method'>;

const NAMED: Readonly<Record<string, (known: Known) => readonly Named[]>> = {
  'get /api/monitoring/operations/': ({ yesterday, today }) => [
    { query: `start_date=${yesterday}&end_date=${today}`, status: 200 },
    { query: 'start_date=yesterday', status: 400 },
  ],
  'get /api/monitoring/business/': () => [{ query: 'compare=day', status: 200 }],
  'get /api/monitoring/daily/': ({ yesterday }) => [
    { query: `start_date=${yesterday}&tz=Europe/Moscow`, status: 200 },
  ],
  'get /api/monitoring/series/': () => [{ query: 'points=24', status: 200 }],
  'get /api/events/': () => [{ query: 'type=export_to_1c&status=error&limit=2', status: 200 }],
  'get /api/alerts/': () => [{ query: 'state=active&limit=2', status: 200 }],
  'post /api/alerts/{id}/ack': ({ alertId }) => [
    { id: alertId, body: { by: 'Anna', note: '1C is being restarted' }, status: 200 },
  ],
  'post /api/silences/': ({ later }) => [
    { body: { rule: 'slow_response', ends_at: later, reason: 'Deployment of 1C' }, status: 201 },
  ],
  'delete /api/silences/{id}': ({ silenceId }) => [{ id: silenceId, status: 200 }],
  'get /metrics': () => [{ status: 200, lines: 16 }],
  'get /openapi.json': () => [{ status: 200, depth: 2 }],
  'get /ws': () => [{ status: 426 }],
};

/** Those that make something come before those that show it, and those that end it come last. */
const ORDER = ['/api/alerts/', '/api/alerts/{id}/ack', 'post /api/silences/', '/api/silences/'];

export interface Operation {
  readonly path: string;
  readonly method: string;
}

/** Every path and method of the document. */
export function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ path, method })),
  );
}

/** The same, in the order in which they can be asked. */
export function inOrder(operations: readonly Operation[]): Operation[] {
  const place = ({ path, method }: Operation) => {
    const at = ORDER.findIndex((one) => one === path || one === `${method} ${path}`);
    return at === -1 ? (path.startsWith('/api/silences/') ? ORDER.length : -1) : at;
  };
  return [...operations].sort((one, other) => place(one) - place(other));
}

/** @throws where a request cannot be made without being told how */
export function requestsFor(path: string, method: string, known: Known): Request[] {
  const named = NAMED[`${method} ${path}`]?.(known);
  if (named !== undefined) return named.map((one) => ({ path, method, ...one }));
  if (method === 'get' && !path.includes('{')) return [{ path, method, status: 200 }];
  throw new Error(`${method} ${path} needs an example: name it in test/docs/requests.ts`);
}

/** As one types it. `address` ends without a slash. */
export function curl(address: string, { path, method, query, id, body }: Request): string {
  const url = `${address}${path.replace('{id}', id ?? '')}${query === undefined ? '' : `?${query}`}`;
  const verb = method === 'get' || (method === 'post' && body) ? '' : `-X ${method.toUpperCase()} `;
  const data = body === undefined ? '' : `-d '${JSON.stringify(body)}' `;
  return `curl ${verb}${data}${/[?&]/.test(url) ? `'${url}'` : url}`;
}

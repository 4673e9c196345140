/** A real HTTP receiver of notices: keeps what came, answers as it is told, verifies signatures as receivers do. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** ms of the Unix epoch */
  readonly at: number;
}

export type Answer = (response: ServerResponse, request: Received) => void;

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What the next requests get; 200 and "ok" at first. */
  answer: Answer;
  /** The webhook-ids in the order in which they came. */
  ids(): string[];
  close(): Promise<void>;
}

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

export const say =
  (status: number, body = '', headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, headers).end(body);

export const hang: Answer = () => undefined;

export const reset: Answer = (response) => response.socket?.resetAndDestroy();

/** Throws as the receiver's library does when somebody else, or nobody, signed. */
export function verify({ body, headers }: Received, secret = SECRET): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const one = {
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(parts).toString(),
        at: Date.now(),
      };
      received.push(one);
      receiver.answer(response, one);
    });
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer: say(200, 'ok'),
    ids: () => received.map(({ headers }) => String(headers['webhook-id'])),
    close() {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
  return receiver;
}

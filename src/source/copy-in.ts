import type pg from 'pg';

/** What pg's Connection has for COPY; not in its types. */
interface CopyingConnection {
  readonly stream: { cork(): void; uncork(): void };
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/**
 * A `COPY ... FROM STDIN` of bytes that are all there, for `Client.query`, which calls the methods. They are sent along
 * with the statement: a server that refuses it drops them (protocol, "COPY Operations"), so nobody waits for its word.
 */
export class CopyIn implements pg.Submittable {
  /** When the server has taken it; rejects with what the server refused, or that the connection was lost. */
  readonly done: Promise<void>;
  readonly #text: string;
  readonly #data: Buffer;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(text: string, data: Buffer) {
    this.#text = text;
    this.#data = data;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: unknown): void {
    const copying = connection as CopyingConnection;
    copying.stream.cork();
    copying.query(this.#text);
    copying.sendCopyFromChunk(this.#data);
    copying.endCopyFrom();
    copying.stream.uncork();
  }

  handleCopyInResponse(): void {}

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#resolve();
  }

  handleError(error: Error): void {
    this.#reject(error);
  }
}

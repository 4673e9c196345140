/**
 * A WebSocket client that costs next to nothing: no copy of what comes, no parsing beyond the first bytes. Ten thousand
 * of the library's own clients would take the second core from the server that is measured.
 */
import { connect, type Socket } from 'node:net';

/** Of the first bytes of a message: enough for its type, number and time. */
const HEAD_BYTES = 80;
/** All clients read into it: what a callback was given is done with when it returns. */
const shared = Buffer.alloc(256 * 1024);

export interface ClientEvents {
  /** The whole message too, where the client keeps messages. */
  message(head: string, bytes: number, whole: Buffer | undefined): void;
  /** With the code of the close frame, 1006 where there was none. */
  closed(code: number): void;
}

export interface ClientOptions {
  readonly port: number;
  /** Sent as the subscription; without it the client says nothing. */
  readonly topics?: readonly string[];
  /** Never reads a byte after it was connected. */
  readonly deaf?: boolean;
  /** Gives whole messages out. */
  readonly keeps?: boolean;
}

export class FanoutClient {
  readonly #socket: Socket;
  readonly #options: ClientOptions;
  readonly #events: ClientEvents;
  #upgraded = false;
  /** What is left of the part before, if it ended inside a header. */
  #rest: Buffer | null = null;
  #opcode = 0;
  /** Bytes of the payload that are still to come. */
  #left = 0;
  #length = 0;
  #head = '';
  #parts: Buffer[] = [];
  #code = 1006;
  #dropped = false;

  constructor(options: ClientOptions, events: ClientEvents) {
    this.#options = options;
    this.#events = events;
    this.#socket = connect({
      port: options.port,
      host: '127.0.0.1',
      onread: {
        buffer: shared,
        callback: (bytes) => {
          this.#read(shared.subarray(0, bytes));
          return true;
        },
      },
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      if (!this.#dropped) events.closed(this.#code);
    });
    this.#socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${options.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    if (options.deaf === true) {
      this.#socket.pause();
      this.#subscribe();
    }
  }

  /** Without a word, as a network that is gone does. Not told as closed. */
  drop(): void {
    this.#dropped = true;
    this.#socket.resetAndDestroy();
  }

  #subscribe(): void {
    const { topics } = this.#options;
    if (topics) this.#send(1, JSON.stringify({ type: 'subscribe', topics }));
  }

  #send(opcode: number, text: string): void {
    const payload = Buffer.from(text);
    // Masked, as a client has to, with zeros.
    const header = Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]);
    if (payload.length > 125) throw new RangeError('longer than a short frame');
    this.#socket.write(Buffer.concat([header, payload]));
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    if (!this.#upgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = Buffer.from(bytes);
        return;
      }
      if (!bytes.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) {
        this.#socket.destroy();
        return;
      }
      this.#upgraded = true;
      bytes = bytes.subarray(end + 4);
      this.#subscribe();
    }
    while (bytes.length > 0) {
      if (this.#left === 0) {
        const header = headerBytes(bytes);
        if (header === undefined || bytes.length < header) {
          this.#rest = Buffer.from(bytes);
          return;
        }
        this.#begin(bytes, header);
        bytes = bytes.subarray(header);
      }
      const part = bytes.subarray(0, this.#left);
      this.#left -= part.length;
      if (this.#head.length < HEAD_BYTES)
        this.#head += part.toString('latin1', 0, Math.min(part.length, HEAD_BYTES - this.#head.length));
      if (this.#options.keeps === true) this.#parts.push(Buffer.from(part));
      bytes = bytes.subarray(part.length);
      if (this.#left === 0) this.#end();
    }
  }

  #begin(bytes: Buffer, header: number): void {
    this.#opcode = (bytes[0] ?? 0) & 15;
    this.#length =
      header === 2
        ? (bytes[1] ?? 0)
        : header === 4
          ? bytes.readUInt16BE(2)
          : Number(bytes.readBigUInt64BE(2));
    this.#left = this.#length;
    this.#head = '';
    this.#parts = [];
    if (this.#length === 0) this.#end();
  }

  #end(): void {
    if (this.#opcode === 1)
      this.#events.message(
        this.#head,
        this.#length,
        this.#options.keeps === true ? Buffer.concat(this.#parts) : undefined,
      );
    else if (this.#opcode === 9) this.#send(10, '');
    else if (this.#opcode === 8) {
      this.#code = (this.#head.charCodeAt(0) << 8) | this.#head.charCodeAt(1);
      this.#socket.end();
    }
  }
}

function headerBytes(bytes: Buffer): number | undefined {
  const short = bytes[1];
  return short === undefined ? undefined : short < 126 ? 2 : short === 126 ? 4 : 10;
}

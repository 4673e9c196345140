/** Rows in the binary format of COPY: nothing is turned into text, and the server parses nothing. */

// PostgreSQL's documentation of COPY, "Binary Format".
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
/** The signature, flags and the length of an extension. */
const HEADER = SIGNATURE.length + 8;
const NULL_LENGTH = -1;
/** Of a timestamptz, ms of the Unix epoch. */
const EPOCH_2000 = Date.UTC(2000, 0);
const JSONB_VERSION = 1;
const FIRST_SIZE = 128 * 1024;
const TWO_32 = 2 ** 32;

/** Columns are put one after the other, in the order of the statement; `row` begins the next row. */
export class CopyRows {
  readonly #columns: number;
  #bytes = Buffer.allocUnsafeSlow(FIRST_SIZE);
  // Of the same bytes: its methods are compiled into their callers, those of a Buffer are not.
  #view = viewOf(this.#bytes);
  #at = HEADER;

  /** @param columns of each row */
  constructor(columns: number) {
    this.#columns = columns;
    SIGNATURE.copy(this.#bytes);
    this.#bytes.fill(0, SIGNATURE.length, HEADER);
  }

  row(): void {
    this.#room(2);
    this.#view.setInt16(this.#at, this.#columns);
    this.#at += 2;
  }

  int2(value: number): void {
    this.#head(2);
    this.#view.setInt16(this.#at, value);
    this.#at += 2;
  }

  int4(value: number | null): void {
    if (!this.#given(value, 4)) return;
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  /** A whole number. */
  int8(value: number | null): void {
    if (!this.#given(value, 8)) return;
    this.#view.setInt32(this.#at, Math.floor(value / TWO_32));
    this.#view.setInt32(this.#at + 4, value | 0);
    this.#at += 8;
  }

  /** @param at ms of the Unix epoch */
  timestamptz(at: number): void {
    this.int8((at - EPOCH_2000) * 1000);
  }

  text(value: string): void {
    this.#string(value, 0);
  }

  /** What JSON.stringify made. */
  jsonb(json: string | null): void {
    if (json === null) this.#head(NULL_LENGTH);
    else this.#string(json, 1);
  }

  bytea(value: Buffer | null): void {
    if (!this.#given(value, value?.length ?? 0)) return;
    this.#at += value.copy(this.#bytes, this.#at);
  }

  /** All of it, ended; nothing may be put any more. */
  end(): Buffer {
    this.#room(2);
    this.#view.setInt16(this.#at, -1);
    this.#at += 2;
    return this.#bytes.subarray(0, this.#at);
  }

  #string(value: string, version: 0 | 1): void {
    const length = Buffer.byteLength(value);
    this.#head(version + length);
    if (version === 1) this.#bytes[this.#at++] = JSONB_VERSION;
    this.#at += this.#bytes.write(value, this.#at);
  }

  /** Announces the value, or NULL in its place. */
  #given<T>(value: T | null, length: number): value is T {
    this.#head(value === null ? NULL_LENGTH : length);
    return value !== null;
  }

  #head(length: number): void {
    this.#room(4 + Math.max(0, length));
    this.#view.setInt32(this.#at, length);
    this.#at += 4;
  }

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

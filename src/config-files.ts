/** The files that settings come from: `.env`, and those that hold one secret each. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { parseEnv } from 'node:util';

/** No secret is longer; a path that leads to something else (a device, a log) is not read to its end. */
const SECRET_BYTES = 64 * 1024;

/**
 * The trimmed text of a file that holds one secret.
 * @throws when it cannot be read, is empty, or is too long to be a secret.
 */
export function readSecret(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(SECRET_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    if (length > SECRET_BYTES) throw new Error(`it is longer than ${SECRET_BYTES} bytes`);
    const text = bytes.toString('utf8', 0, length).trim();
    if (text === '') throw new Error('it is empty');
    return text;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * What a `.env` file says; nothing where there is none.
 * @throws when the file is there and cannot be read.
 */
export function readDotenv(file: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Error(`the file ${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

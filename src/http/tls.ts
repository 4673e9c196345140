/** Certificate and key from files, taken anew when they change: certificates are renewed more often than monitors start. */
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext } from 'node:tls';

export interface TlsFiles {
  /** PEM: the certificate, then those that lead to its authority. */
  readonly cert: string;
  /** PEM, not encrypted. */
  readonly key: string;
}

export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** By stat rather than by events: Kubernetes swaps a symbolic link two directories above, and that no event tells. */
const LOOK_MS = 5_000;

function read(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`${setting} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws Error naming the setting, when a file cannot be read, is no PEM, or key and certificate do not belong together */
export function readTls({ cert, key }: TlsFiles): TlsPair {
  const pair = { cert: read('TLS_CERT', cert), key: read('TLS_KEY', key) };
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new Error(
      `TLS_CERT (${cert}) and TLS_KEY (${key}) cannot be used: ${(error as Error).message}. Both are PEM files, the key not encrypted, and belong together.`,
      { cause: error },
    );
  }
  return pair;
}

export interface TlsWatch {
  readonly files: TlsFiles;
  /** Given a pair that can be used. */
  readonly onChange: (pair: TlsPair) => void;
  /** A change that cannot be used, as between the two files of a renewal; the old pair stays. */
  readonly onFault: (error: unknown) => void;
  readonly lookMs?: number;
}

/** @returns what ends it */
export function watchTls({ files, onChange, onFault, lookMs = LOOK_MS }: TlsWatch): () => void {
  const paths = [files.cert, files.key];
  const changed = (): void => {
    try {
      onChange(readTls(files));
    } catch (error) {
      onFault(error);
    }
  };
  for (const path of paths) watchFile(path, { interval: lookMs, persistent: false }, changed);
  return () => {
    for (const path of paths) unwatchFile(path, changed);
  };
}

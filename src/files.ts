import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The package's own folder: the sources lie in it, the build two levels deep. */
const ROOT = new URL(import.meta.url.includes('/dist/') ? '../../' : '../', import.meta.url);

/** The path of a file or folder that the package ships, from the sources and from the build alike. */
export function shipped(path: 'sql' | 'dist/dashboards/live'): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** The package's version. @throws when package.json is not there or not its own */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
  const found = (manifest as { version?: unknown }).version;
  if (typeof found !== 'string') throw new TypeError('package.json has no version');
  return found;
}

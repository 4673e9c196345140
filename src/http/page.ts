/**
 * The dashboard's files, read into memory once: a request can only name what was found then, so no path leads out of
 * the directory.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { Context } from 'hono';

export interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
}

/** By the path of the URL, e.g. `/` and `/page.js`. */
export type Page = ReadonlyMap<string, PageFile>;

const MAX_FILES = 500;
const MAX_BYTES = 20 * 1024 * 1024;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/** Nothing from another host, no inline script, not inside a frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Reads a directory of page files; `index.html` answers for `/`.
 * @throws Error when it cannot be read, has no index.html, or is larger than a page can be (500 files, 20 MiB).
 */
export async function loadPage(directory: string): Promise<Page> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  if (files.length > MAX_FILES) {
    throw new Error(`${directory} holds ${files.length} files; a dashboard has at most ${MAX_FILES}.`);
  }
  const page = new Map<string, PageFile>();
  let bytes = 0;
  for (const file of files) {
    const path = join(file.parentPath, file.name);
    const body = new Uint8Array(await readFile(path));
    bytes += body.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`The files of ${directory} are larger than ${MAX_BYTES} bytes.`);
    const name = `/${relative(directory, path).split(sep).join('/')}`;
    page.set(name, {
      body,
      type: TYPES[extname(file.name).toLowerCase()] ?? 'application/octet-stream',
      etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    });
  }
  const index = page.get('/index.html');
  if (index === undefined) throw new Error(`${directory} has no index.html, which is the dashboard itself.`);
  page.set('/', index);
  return page;
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  // Weak comparison (RFC 9110, 13.1.2): a proxy that compresses makes the tag weak.
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

/** Answers with a file of the page; always revalidated, so that an update shows at the next load. */
export function pageResponse(c: Context, file: PageFile): Response {
  c.header('ETag', file.etag);
  c.header('Cache-Control', 'no-cache');
  c.header('Content-Security-Policy', POLICY);
  if (matches(c.req.header('if-none-match'), file.etag)) return c.body(null, 304);
  c.header('Content-Type', file.type);
  return c.body(file.body);
}

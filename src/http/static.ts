/**
 * The dashboard's files, read into memory once: a request can only name what was found then, so no path leads out of
 * the directory. Vite compresses them; what comes without that is compressed here.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Context } from 'hono';

/** Best first. */
const ENCODINGS = ['br', 'gzip'] as const;
export type Encoding = (typeof ENCODINGS)[number];
/** Of the compressed form of a file, beside it. */
const SUFFIXES: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz' };

export interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly type: string;
  /** Of the body as it is; an encoded one has its own. */
  readonly etag: string;
  /** The name changes with the content: it never needs to be asked for again. */
  readonly immutable: boolean;
  /** Only where it is smaller. */
  readonly encoded: Readonly<Partial<Record<Encoding, Uint8Array<ArrayBuffer>>>>;
}

/** By the path of the URL, e.g. `/` and `/assets/index-CQntlDiv.js`. */
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
/** What is compressed already. */
const DENSE: ReadonlySet<string> = new Set(['.png', '.woff2']);

/** Vite puts a hash of the content into the name. */
const HASHED = /^\/assets\/[^/]+-[\w-]{8}\.\w+$/;

/** Nothing from another host, no inline script or style, no text read as HTML, not inside a frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HOW_TO_BUILD = '`npm run build` makes it';

/**
 * Reads a directory of page files; `index.html` answers for `/`.
 * @throws Error when it cannot be read, has no index.html, or is larger than a page can be (500 files, 20 MiB).
 */
export async function loadPage(directory: string): Promise<Page> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error) => {
    throw new Error(`The dashboard cannot be read (${HOW_TO_BUILD}): ${error.message}`, { cause: error });
  });
  const files = entries.filter((entry) => entry.isFile());
  if (files.length > MAX_FILES) {
    throw new Error(`${directory} holds ${files.length} files; a dashboard has at most ${MAX_FILES}.`);
  }
  const bodies = new Map<string, Uint8Array<ArrayBuffer>>();
  let bytes = 0;
  for (const file of files) {
    const path = join(file.parentPath, file.name);
    const body = new Uint8Array(await readFile(path));
    bytes += body.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`The files of ${directory} are larger than ${MAX_BYTES} bytes.`);
    bodies.set(`/${relative(directory, path).split(sep).join('/')}`, body);
  }
  const page = new Map<string, PageFile>();
  for (const [name, body] of bodies) {
    const original = name.replace(/\.(?:br|gz)$/, '');
    if (original !== name && bodies.has(original)) continue;
    const built = ENCODINGS.flatMap((encoding) => {
      const encoded = bodies.get(name + SUFFIXES[encoding]);
      return encoded ? [[encoding, encoded] as const] : [];
    });
    page.set(name, await pageFile(name, body, Object.fromEntries(built)));
  }
  const index = page.get('/index.html');
  if (index === undefined) {
    throw new Error(`${directory} has no index.html, which is the dashboard itself (${HOW_TO_BUILD}).`);
  }
  page.set('/', index);
  return page;
}

async function pageFile(
  name: string,
  body: Uint8Array<ArrayBuffer>,
  built: PageFile['encoded'],
): Promise<PageFile> {
  const extension = extname(name).toLowerCase();
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return {
    body,
    type: TYPES[extension] ?? 'application/octet-stream',
    etag: `"${hash}"`,
    immutable: HASHED.test(name),
    encoded: DENSE.has(extension) || Object.keys(built).length > 0 ? built : await encode(body),
  };
}

async function encode(body: Uint8Array): Promise<PageFile['encoded']> {
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: body.byteLength };
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(body, { params }),
    promisify(gzip)(body, { level: constants.Z_BEST_COMPRESSION }),
  ]);
  return {
    ...(br.byteLength < body.byteLength && { br: new Uint8Array(br) }),
    ...(gz.byteLength < body.byteLength && { gzip: new Uint8Array(gz) }),
  };
}

/** The best of those that exist and that the client takes; undefined: as it is (RFC 9110, 12.5.3). */
export function encodingOf(header: string | undefined, existing: PageFile['encoded']): Encoding | undefined {
  const taken = new Map<string, number>();
  for (const part of (header ?? '').split(',')) {
    const [name, ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    if (name) taken.set(name, q === undefined ? 1 : Number(q) || 0);
  }
  return ENCODINGS.find((name) => existing[name] && (taken.get(name) ?? taken.get('*') ?? 0) > 0);
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  // Weak comparison (RFC 9110, 13.1.2): a proxy that compresses makes the tag weak.
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

/** Answers with a file of the page; but for those that never change it is revalidated, so an update shows at once. */
export function pageResponse(c: Context, file: PageFile): Response {
  const encoding = encodingOf(c.req.header('accept-encoding'), file.encoded);
  // Two representations, two tags (RFC 9110, 8.8.3.3).
  const etag = encoding === undefined ? file.etag : `${file.etag.slice(0, -1)}-${encoding}"`;
  c.header('ETag', etag);
  c.header('Vary', 'Accept-Encoding');
  c.header('Cache-Control', file.immutable ? 'max-age=31536000, immutable' : 'no-cache');
  c.header('Content-Security-Policy', POLICY);
  if (matches(c.req.header('if-none-match'), etag)) return c.body(null, 304);
  c.header('Content-Type', file.type);
  if (encoding === undefined) return c.body(file.body);
  c.header('Content-Encoding', encoding);
  return c.body(file.encoded[encoding] ?? file.body);
}

/** The JSON body of a request, read strictly: each fault gets its own sentence. */
import type { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { ApiError } from './errors.js';
import { quoted } from './period.js';

/** What people write by hand fits many times. */
const MAX_BODY_BYTES = 16 * 1024;

const refuse = (message: string, details: Record<string, unknown> = {}): ApiError =>
  new ApiError(400, 'invalid_body', message, details);

/**
 * The body as the schema has it; an empty one is `{}`.
 * @param allowed what each key may be, in words
 * @throws ApiError 400 that names the key, its value and what is allowed; 413, 415
 */
export async function readBody<T>(
  c: Context,
  schema: z.ZodType<T>,
  allowed: Readonly<Record<string, string>>,
): Promise<T> {
  const text = await readText(c, MAX_BODY_BYTES);
  let json: unknown;
  try {
    json = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    throw refuse(`The body is no JSON: ${quoted(text)}.`);
  }
  const names = Object.keys(allowed).join(', ');
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw refuse(`The body is ${quoted(text)}; it must be a JSON object with ${names}.`);
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys')
    throw refuse(`${quoted(issue.keys.join(', '))} is no key of this body; those are ${names}.`);
  const name = String(issue?.path[0]);
  const value: unknown = Object.hasOwn(json, name)
    ? Object.entries(json).find(([key]) => key === name)?.[1]
    : undefined;
  const said = value === undefined ? 'missing' : excerpt(value);
  throw refuse(`${name} is ${said}; allowed: ${allowed[name]}.`, { parameter: name });
}

function excerpt(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/**
 * The body as text. One that is too long is read to its end, and forgotten: an answer in the middle of it would cost the
 * connection. A compressed one is not unpacked: few bytes can become any number.
 * @throws ApiError 413, 415
 */
export async function readText(c: Context, maxBytes: number): Promise<string> {
  const encoding = c.req.header('content-encoding') ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity') {
    const message = `The body has the Content-Encoding ${quoted(encoding)}; send it as it is.`;
    throw new ApiError(415, 'encoding_not_supported', message);
  }
  const reader = c.req.raw.body?.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const chunk = await reader?.read().catch(() => {
      // Nobody is left to be told; it is no failure of ours either.
      throw new ApiError(400, 'body_cut_short', 'The body ended before it was complete.');
    });
    if (chunk === undefined || chunk.done) break;
    bytes += chunk.value.length;
    if (bytes <= maxBytes) chunks.push(chunk.value);
  }
  if (bytes <= maxBytes) return Buffer.concat(chunks).toString('utf8');
  const message = `The body is ${bytes} bytes long; at most ${maxBytes} are read.`;
  throw new ApiError(413, 'body_too_long', message);
}

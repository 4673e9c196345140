/** Standard Webhooks (standardwebhooks.com): the headers by which a receiver knows us and recognises a repetition. */
import { Webhook } from 'standardwebhooks';

/** Not usable for signing. The message ends a sentence that begins with the setting's name. */
export class SecretError extends Error {}

export type Signer = (id: string, at: Date, body: string) => Readonly<Record<string, string>>;

/** The headers that every notice has, signed or not. `at` is the time of the attempt. */
const unsigned: Signer = (id, at) => ({
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
});

/**
 * A signer with these secrets; several, separated by blanks, sign side by side so that one can be replaced without a
 * moment in which the receiver knows neither. Null signs nothing.
 * @throws SecretError for a secret that is not `whsec_` and base64
 */
export function createSigner(secrets: string | null): Signer {
  if (secrets === null) return unsigned;
  const keys = secrets.trim().split(/\s+/).map(keyOf);
  return (id, at, body) => ({
    ...unsigned(id, at, body),
    'webhook-signature': keys.map((key) => key.sign(id, at, body)).join(' '),
  });
}

function keyOf(secret: string): Webhook {
  const bytes = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret;
  // What a receiver's library would decode to something else than ours does must not get by.
  if (!/^[A-Za-z0-9+/]{4,}={0,2}$/.test(bytes) || bytes.length % 4 !== 0)
    throw new SecretError(
      'cannot sign: allowed: "whsec_" and base64, several separated by spaces (make one: openssl rand -base64 32)',
    );
  return new Webhook(secret);
}

import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { createSigner, SecretError } from '../../src/alerts/sign.js';
import { SECRET } from './receiver.js';

const OTHER = Buffer.from('another key of at least 24 bytes').toString('base64');
const at = new Date();

test('either of two secrets verifies while one replaces the other', () => {
  const headers = createSigner(`${SECRET} ${OTHER}`)('id', at, '[]');
  expect(headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
  for (const secret of [SECRET, OTHER]) expect(new Webhook(secret).verify('[]', headers)).toEqual([]);
});

test('the time is that of the attempt, the id does not change', () => {
  const sign = createSigner(SECRET);
  expect(sign('id', new Date(1_700_000_000_999), '')).toMatchObject({
    'webhook-id': 'id',
    'webhook-timestamp': '1700000000',
  });
});

test('without a secret there is an id and a time, and no signature', () => {
  expect(Object.keys(createSigner(null)('id', at, ''))).toEqual(['webhook-id', 'webhook-timestamp']);
});

test.each(['whsec_', 'whsec_ä', 'my secret', 'pass-word', 'abc', 'whsec_abcd=efg', `${SECRET} nö`])(
  '%j is no secret to sign with',
  (secret) => {
    expect(() => createSigner(secret)).toThrow(SecretError);
  },
);

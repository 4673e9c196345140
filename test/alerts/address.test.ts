import { expect, test } from 'vitest';
import { isLoopback, isPrivateAddress, refusalOf } from '../../src/alerts/address.js';

test.each([
  ['8.8.8.8', false],
  ['172.15.255.255', false],
  ['172.32.0.0', false],
  ['100.63.255.255', false],
  ['2606:4700::1111', false],
  ['2001:4860:4860::8888', false],
  ['::ffff:8.8.8.8', false],
  ['0.0.0.0', true],
  ['10.1.2.3', true],
  ['100.64.0.1', true],
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['169.254.169.254', true],
  ['172.16.0.1', true],
  ['172.31.255.255', true],
  ['192.168.1.1', true],
  ['198.19.0.1', true],
  ['224.0.0.1', true],
  ['255.255.255.255', true],
  ['::', true],
  ['::1', true],
  ['fe80::1', true],
  ['fe80::1%eth0', true],
  ['fd00::1', true],
  ['ff02::1', true],
  ['::ffff:10.0.0.1', true],
  ['::ffff:a00:1', true],
  ['::7f00:1', true],
  ['64:ff9b::a00:1', true],
  ['2002:a00:1::', true],
])('%s is private: %j', (address, expected) => {
  expect(isPrivateAddress(address)).toBe(expected);
});

test.each([
  ['localhost', true],
  ['LOCALHOST.', true],
  ['db.localhost', true],
  ['127.0.0.1', true],
  ['[::1]', true],
  ['localhost.example.com', false],
  ['127.0.0.1.example.com', false],
  ['10.0.0.1', false],
])('%s is this machine: %j', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

// address, allowHttp, denyPrivate, the beginning of the refusal
test.each([
  ['https://example.com/', false, false, null],
  ['http://example.com/', false, false, 'sends over http to example.com'],
  ['http://example.com/', true, false, null],
  ['http://localhost:9000/', false, false, null],
  ['http://127.1/', false, false, null],
  ['http://0x7f000001/', false, false, null],
  ['http://[::1]/', false, false, null],
  ['https://10.0.0.1/', false, false, null],
  ['https://10.0.0.1/', false, true, 'names 10.0.0.1, a private address'],
  ['https://[fd00::1]/', false, true, 'names [fd00::1], a private address'],
  ['https://localhost/', false, true, 'names localhost, a private address'],
  ['http://127.0.0.1/', true, true, 'names 127.0.0.1, a private address'],
  ['https://2130706433/', false, true, 'names 127.0.0.1, a private address'],
  ['https://8.8.8.8/', false, true, null],
  ['ftp://example.com/', true, false, 'is a ftp: address'],
])('%s with http allowed %j and private denied %j: %j', (url, allowHttp, denyPrivate, refusal) => {
  const found = refusalOf(new URL(url), { allowHttp, denyPrivate });
  if (refusal === null) expect(found).toBeNull();
  else expect(found).toMatch(new RegExp(`^${refusal.replace(/[[\].]/g, '\\$&')}.*allowed: `));
});

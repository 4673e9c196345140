import { describe, expect, it } from 'vitest';
import { type AccessOptions, createAccess, isLoopback, type Need } from '../../src/http/auth.js';

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const TOKENS: AccessOptions = {
  host: '0.0.0.0',
  authToken: 'admin-new admin-old',
  viewerToken: 'viewer',
  metricsToken: 'metrics',
};

interface Ask {
  readonly need?: Need;
  readonly host?: string | undefined;
  readonly origin?: string;
  readonly authorization?: string;
}

const decide = (options: AccessOptions, ask: Ask) =>
  createAccess(options).decide({
    need: ask.need ?? 'read',
    host: 'host' in ask ? ask.host : 'localhost:8080',
    origin: ask.origin,
    authorization: ask.authorization,
  });

const outcome = (options: AccessOptions, ask: Ask): string => {
  const decision = decide(options, ask);
  return decision.allowed ? decision.role : `${decision.status} ${decision.code}`;
};

describe('loopback addresses', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.10', '::1', '[::1]', '::ffff:127.0.0.1'])(
    '%s',
    (host) => {
      expect(isLoopback(host)).toBe(true);
    },
  );
  it.each(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'localhost.example', '127.0.0.1.example', ''])(
    'not %s',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe('the mode', () => {
  it.each<[string, AccessOptions, string]>([
    ['loopback without tokens', { host: '127.0.0.1' }, 'loopback'],
    ['loopback with other tokens than AUTH_TOKEN', { host: '::1', metricsToken: 'm' }, 'loopback'],
    ['loopback with AUTH_TOKEN', { host: '127.0.0.1', authToken: 'a' }, 'tokens'],
    ['another host with AUTH_TOKEN', { host: '0.0.0.0', authToken: 'a' }, 'tokens'],
    ['AUTH=off', { host: '0.0.0.0', auth: 'off' }, 'off'],
    ['AUTH=off beside a token', { host: '0.0.0.0', auth: 'off', authToken: 'a' }, 'off'],
  ])('%s', (_name, options, mode) => {
    expect(createAccess(options).mode).toBe(mode);
  });

  it.each<AccessOptions>([
    { host: '0.0.0.0' },
    { host: '0.0.0.0', authToken: '   ' },
    { host: 'monitor.internal', viewerToken: 'v', metricsToken: 'm' },
  ])('another host without AUTH_TOKEN is refused at start: %j', (options) => {
    expect(() => createAccess(options)).toThrow(/AUTH_TOKEN is not set.*AUTH=off/);
  });
});

describe('loopback', () => {
  const LOOPBACK: AccessOptions = { host: '127.0.0.1', allowedHosts: ['Monitor.Internal', 'other:8443'] };

  it.each<[Ask, string]>([
    [{ host: 'localhost' }, 'admin'],
    [{ host: 'localhost:1' }, 'admin'],
    [{ host: 'LocalHost:8080' }, 'admin'],
    [{ host: '127.0.0.1:8080' }, 'admin'],
    [{ host: '127.1.2.3' }, 'admin'],
    [{ host: '[::1]:8080' }, 'admin'],
    [{ host: 'monitor.internal' }, 'admin'],
    [{ host: 'monitor.internal:80' }, 'admin'],
    [{ host: 'other:8443' }, 'admin'],
    [{ host: 'other:8444' }, '403 host_not_allowed'],
    [{ host: undefined }, '403 host_not_allowed'],
    [{ host: '' }, '403 host_not_allowed'],
    [{ host: 'evil.example' }, '403 host_not_allowed'],
    [{ host: 'evil.example:8080' }, '403 host_not_allowed'],
    [{ host: 'localhost.evil.example' }, '403 host_not_allowed'],
    [{ host: '127.0.0.1.evil.example' }, '403 host_not_allowed'],
    [{ host: 'localhost@evil.example' }, '403 host_not_allowed'],
    [{ host: 'evil.example/localhost' }, '403 host_not_allowed'],
    [{ host: 'evil.example#localhost' }, '403 host_not_allowed'],
    [{ host: '10.0.0.1:8080' }, '403 host_not_allowed'],
    [{ host: '0.0.0.0:8080' }, '403 host_not_allowed'],
    [{ origin: 'http://localhost:8080' }, 'admin'],
    [{ origin: 'HTTP://LOCALHOST:8080' }, 'admin'],
    [{ host: 'localhost', origin: 'http://localhost:80' }, 'admin'],
    [{ host: 'localhost:443', origin: 'https://localhost' }, 'admin'],
    [{ origin: 'https://monitor.internal' }, 'admin'],
    [{ origin: 'http://localhost:9090' }, '403 origin_not_allowed'],
    [{ origin: 'http://127.0.0.1:8080' }, '403 origin_not_allowed'],
    [{ origin: 'http://evil.example' }, '403 origin_not_allowed'],
    [{ origin: 'null' }, '403 origin_not_allowed'],
    [{ origin: '' }, '403 origin_not_allowed'],
    [{ origin: 'file://' }, '403 origin_not_allowed'],
    [{ need: 'write' }, 'admin'],
    [{ need: 'metrics' }, 'admin'],
    [{ authorization: 'Bearer whatever' }, 'admin'],
  ])('%j gives %s', (ask, expected) => {
    expect(outcome(LOOPBACK, ask)).toBe(expected);
  });
});

describe('tokens', () => {
  const needs: readonly Need[] = ['read', 'write', 'metrics'];
  const rows: readonly [string, string | undefined, readonly [string, string, string]][] = [
    ['none', undefined, ['401 token_missing', '401 token_missing', '401 token_missing']],
    ['admin, new', 'Bearer admin-new', ['admin', 'admin', 'admin']],
    ['admin, old', 'Bearer admin-old', ['admin', 'admin', 'admin']],
    ['scheme in small letters', 'bearer admin-new', ['admin', 'admin', 'admin']],
    ['Basic', basic('anyone', 'admin-old'), ['admin', 'admin', 'admin']],
    ['Basic, no user', basic('', 'viewer'), ['viewer', '403 role_not_allowed', 'viewer']],
    ['viewer', 'Bearer viewer', ['viewer', '403 role_not_allowed', 'viewer']],
    ['metrics', 'Bearer metrics', ['403 role_not_allowed', '403 role_not_allowed', 'metrics']],
    [
      'metrics, Basic',
      basic('prometheus', 'metrics'),
      ['403 role_not_allowed', '403 role_not_allowed', 'metrics'],
    ],
    ...[
      'Bearer wrong',
      'Bearer admin',
      'Bearer admin-newx',
      'Bearer ADMIN-NEW',
      'Bearer admin-new admin-old',
      'Bearer',
      'Bearer ',
      '',
      'admin-new',
      'Token admin-new',
      'Basic admin-new',
      'Basic ####',
      basic('admin-new', ''),
      basic('admin-new', 'wrong'),
      `Basic ${Buffer.from('admin-new').toString('base64')}`,
    ].map((header): [string, string, [string, string, string]] => [
      JSON.stringify(header),
      header,
      ['401 token_invalid', '401 token_invalid', '401 token_invalid'],
    ]),
  ];
  it.each(rows)('%s', (_name, authorization, expected) => {
    const given = needs.map((need) =>
      outcome(TOKENS, authorization === undefined ? { need } : { need, authorization }),
    );
    expect(given).toEqual(expected);
  });

  it('asks whoever may reach it, by any name', () => {
    expect(outcome(TOKENS, { host: 'monitor.example', authorization: 'Bearer viewer' })).toBe('viewer');
  });

  it('does not let another page use the password a browser has stored', () => {
    const ask = {
      host: 'monitor.example',
      origin: 'https://evil.example',
      authorization: basic('', 'viewer'),
    };
    expect(outcome(TOKENS, ask)).toBe('403 origin_not_allowed');
    expect(outcome(TOKENS, { ...ask, origin: 'https://monitor.example' })).toBe('viewer');
  });

  it('may hold colons and letters of any script', () => {
    const options = { host: '0.0.0.0', authToken: 'a:b:c пароль' };
    expect(outcome(options, { authorization: basic('user', 'a:b:c') })).toBe('admin');
    expect(outcome(options, { authorization: basic('user', 'пароль') })).toBe('admin');
    // As Node.js hands out what a client sent in UTF-8.
    const raw = Buffer.from('пароль', 'utf8').toString('latin1');
    expect(outcome(options, { authorization: `Bearer ${raw}` })).toBe('admin');
  });

  it('never appear in a refusal', () => {
    const decision = decide(TOKENS, { authorization: 'Bearer wrong-secret' });
    expect(JSON.stringify(decision)).not.toMatch(/wrong-secret|admin-new/);
  });
});

describe('AUTH=off', () => {
  const OFF: AccessOptions = { host: '0.0.0.0', auth: 'off', authToken: 'a' };
  it.each<[Ask, string]>([
    [{ host: 'any.example', need: 'write' }, 'admin'],
    [{ host: undefined }, 'admin'],
    [{ host: 'any.example', origin: 'http://any.example' }, 'admin'],
    [{ host: 'any.example', origin: 'http://evil.example' }, '403 origin_not_allowed'],
  ])('%j gives %s', (ask, expected) => {
    expect(outcome(OFF, ask)).toBe(expected);
  });
});

import { spawnSync } from 'node:child_process';
import { chmod, chown, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainConnection } from '../../src/source/connection-fault.js';
import { ask, availableVersions, type Cluster, startCluster } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { createTable } from '../source/tables.js';
import { command, diagnose, refusal } from './scene.js';

const OPENSSL = spawnSync('openssl', ['version']).status === 0;
if (!OPENSSL) console.log('openssl is not installed (apt-get install openssl): TLS is not tested');
const PASSWORD = 's3cret-w0rd';
const HBA = `
local   all all                  trust
host    all postgres  127.0.0.1/32 trust
host    all missing   127.0.0.1/32 trust
host    all plain     127.0.0.1/32 scram-sha-256
host    all shut      127.0.0.1/32 scram-sha-256
hostssl all secure    127.0.0.1/32 scram-sha-256
`;

describe.each(await availableVersions())('connecting to PostgreSQL %i', (version) => {
  let cluster: Cluster;
  let database: string;

  beforeAll(async () => {
    cluster = await startCluster({ version, fsync: false, settings: { max_prepared_transactions: '5' } });
    database = await cluster.createDatabase();
    await ask(cluster.url(database), createTable('customer_sync_logs'));
    for (const role of ['plain', 'secure', 'shut'])
      await ask(
        cluster.url(database),
        `CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'; GRANT SELECT ON customer_sync_logs, customer_sync_logs_id_seq TO ${role}`,
      );
    await ask(cluster.url(database), 'ALTER ROLE shut CONNECTION LIMIT 0');
    await writeFile(join(cluster.dataDir, 'pg_hba.conf'), HBA);
    await ask(cluster.url(), 'SELECT pg_reload_conf()');
  });
  afterAll(() => cluster?.destroy());

  const at = (user: string, { query = '', name = database, host = '127.0.0.1', port = cluster.port } = {}) =>
    `postgres://${user}@${host}:${port}/${name}${query}`;
  const plain = `plain:${PASSWORD}`;
  const secure = `secure:${PASSWORD}`;

  /** What both say, and that it holds no password. */
  async function fails(url: string, words: RegExp, remedy: RegExp): Promise<void> {
    const said = await refusal(url);
    expect(said).toMatch(words);
    expect(said).toMatch(remedy);
    const migrate = await command(['migrate'], { DATABASE_URL: url });
    expect([migrate.code, migrate.err]).toEqual([1, [said]]);
    const { code, check, all, report } = await diagnose(url);
    expect([code, all('fault'), all('warning')]).toEqual([1, ['connection'], []]);
    expect(check('connection').message).toMatch(words);
    expect(check('connection').remedy).toMatch(remedy);
    expect(all('skipped')).toContain('trigger');
    expect(said + JSON.stringify(report)).not.toContain(PASSWORD);
  }

  test('a host that is not known', () =>
    fails(at(plain, { host: 'nowhere.invalid' }), /host of nowhere\.invalid:\d+ is not known/, /host name/));

  test('a port where nobody listens, under a name with several addresses too', async () => {
    await fails(at(plain, { port: 1 }), /nobody listens at 127\.0\.0\.1:1 /, /Start PostgreSQL/);
    await fails(
      at(plain, { host: 'localhost', port: 1 }),
      /nobody listens at localhost:1 .*ECONNREFUSED/,
      /Start/,
    );
  });

  test('a server that is no PostgreSQL', async () => {
    const server = createServer((socket) => socket.end());
    const port = await listening(server);
    try {
      await fails(at(plain, { port }), /connecting to 127\.0\.0\.1:\d+ failed/, /names a PostgreSQL server/);
    } finally {
      server.close();
    }
  });

  test('a server that never answers', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket));
    const port = await listening(server);
    try {
      const { check } = await diagnose(at(plain, { port }));
      expect(check('connection')).toMatchObject({
        status: 'fault',
        message: expect.stringMatching(/127\.0\.0\.1:\d+ does not answer/),
      });
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  test('a wrong password, none, one of a role that is not there', async () => {
    await fails(at('plain:wrong'), /password is not that of role plain/, /percent-encoded/);
    await fails(
      at('plain'),
      /asks for a password of role plain, and there is none/,
      /after the role and a colon/,
    );
    await fails(at('missing:x'), /there is no role missing/, /create it/);
  });

  test('a role that pg_hba.conf does not let in, or that may not connect', async () => {
    await fails(
      at('stranger:x', { query: '?sslmode=disable' }),
      /lets this role in only with TLS, if at all/,
      /sslmode/,
    );
    await ask(cluster.url(database), `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
    await fails(at(plain), /role plain may not connect to database/, /GRANT CONNECT ON DATABASE/);
    await ask(cluster.url(database), `GRANT CONNECT ON DATABASE ${database} TO PUBLIC`);
  });

  test('a database that is not there; no connection left', async () => {
    await fails(at(plain, { name: 'nowhere' }), /no such database .*"nowhere"/, /name in DATABASE_URL/);
    await fails(at(`shut:${PASSWORD}`), /no connection is free/, /CONNECTION LIMIT/);
  });

  test.skipIf(!OPENSSL)(
    'TLS demanded or refused, a certificate that is not trusted, and one that is',
    async () => {
      const certificate = await makeCertificate(cluster.dataDir);
      await fails(at(plain, { query: '?sslmode=require' }), /does not speak TLS/, /Remove sslmode/);
      await ask(cluster.url(), 'ALTER SYSTEM SET ssl = on');
      await ask(cluster.url(), 'SELECT pg_reload_conf()');
      const on = async () => (await ask(cluster.url(), 'SHOW ssl'))[0]?.ssl === 'on';
      await until(on, 'TLS is on');
      await fails(at(secure), /only with TLS/, /sslmode=verify-full/);
      await fails(
        at(secure, { query: '?sslmode=require' }),
        /certificate of .* is not trusted/,
        /sslrootcert=FILE/,
      );
      await fails(at(secure, { query: '?sslmode=verify-full' }), /is not trusted/, /sslmode=no-verify/);
      for (const query of [`?sslmode=require&sslrootcert=${certificate}`, '?sslmode=no-verify']) {
        const { check } = await diagnose(at(secure, { query }));
        expect(check('connection')).toMatchObject({
          status: 'ok',
          message: expect.stringContaining('with TLS'),
        });
      }
    },
  );

  test('prepared transactions: a warning by the setting of the bell', async () => {
    const status = async (BELL: string) =>
      (await diagnose(cluster.url(database), { BELL })).check('prepared_transactions').status;
    expect([await status('auto'), await status('always'), await status('off')]).toEqual([
      'warning',
      'warning',
      'ok',
    ]);
    const { check } = await diagnose(cluster.url(database), { BELL: 'auto' });
    // As serve decides it: no trigger is wanted.
    expect(check('trigger').status).toBe('warning'); // the schema is not there yet
    expect(check('trigger').sql).not.toContain('CREATE TRIGGER');
  });

  // Last: it ends with another cluster, so to say. A standby takes no write: nothing doctor asks can be one.
  test('a hot standby: that is its one fault, and all else is read there', async () => {
    await cluster.stop('fast');
    await writeFile(join(cluster.dataDir, 'standby.signal'), '');
    const primary = cluster.start();
    const url = cluster.url(database);
    const standby = () =>
      ask(url, 'SELECT pg_is_in_recovery() AS it').then(
        ([row]) => row?.it === true,
        () => false,
      );
    await until(standby, 'the standby answers');
    try {
      expect(await refusal(url)).toContain('hot standby');
      const { code, check, all } = await diagnose(url, { BELL: 'off' });
      expect([code, all('fault'), all('skipped')]).toEqual([1, ['primary'], []]);
      expect(check('primary').remedy).toContain('primary');
    } finally {
      await ask(url, 'SELECT pg_promote()');
      await primary;
    }
  });
});

test.each([
  [Object.assign(new Error('x'), { code: 'EHOSTUNREACH' }), 'unreachable'],
  [new Error('timeout expired'), 'unreachable'],
  [new Error('no answer within 5000 ms'), 'unreachable'],
  [new Error('SSL required'), 'tls_demanded'],
  [new Error('no such database: x'), 'database_missing'],
  [new AggregateError([Object.assign(new Error('a'), { code: 'ECONNREFUSED' })], ''), 'refused'],
  [Object.assign(new Error('x'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), 'tls_untrusted'],
  ['a text', 'other'],
])('%s is %s', (error, fault) => {
  const explained = explainConnection(error, 'postgres://role:hidden@[::1]/database');
  expect(explained.fault).toBe(fault);
  expect(explained.remedy).not.toBe('');
  expect(explained.message).not.toContain('hidden');
});

/** Self-signed, for 127.0.0.1, where the server looks for it. @returns its file */
async function makeCertificate(folder: string): Promise<string> {
  const [key, file] = [join(folder, 'server.key'), join(folder, 'server.crt')];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', file];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = spawnSync('openssl', [...args, ...subject], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  const { uid, gid } = await stat(folder);
  for (const one of [key, file]) await chown(one, uid, gid);
  await chmod(key, 0o600);
  return file;
}

function listening(server: Server): Promise<number> {
  return new Promise((settle) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      settle(typeof address === 'object' && address ? address.port : 0);
    });
  });
}

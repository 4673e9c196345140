import { describe, expect, test } from 'vitest';
import { judgeBell, type TriggerState } from '../../src/doctor/bell.js';
import { fault, ok, runChecks, together, warning } from '../../src/doctor/check.js';
import { judgeAccess, judgeDisk, judgePrometheus } from '../../src/doctor/host.js';
import { judgeIndexes } from '../../src/doctor/leaves.js';
import { judgeRedis } from '../../src/doctor/redis.js';
import { judgeClock, judgeQueue, judgeRoom } from '../../src/doctor/server.js';
import { reportLines } from '../../src/doctor/text.js';

describe('the run of checks', () => {
  test('skips what an earlier fault makes pointless, however far down, and nothing else', async () => {
    const report = await runChecks(
      [
        { check: 'a', run: () => fault('A is broken.', 'Mend A.', 'SELECT 1;') },
        { check: 'b', needs: ['a'], run: () => ok('B.') },
        { check: 'c', needs: ['b'], run: () => ok('C.') },
        { check: 'd', run: () => warning('D is odd.', 'Look at D.') },
        { check: 'e', needs: ['d'], run: () => ok('E.') },
      ],
      { timeoutMs: 10_000 },
    );
    expect(report).toEqual({
      status: 'fault',
      checks: [
        { check: 'a', status: 'fault', message: 'A is broken.', remedy: 'Mend A.', sql: 'SELECT 1;' },
        { check: 'b', status: 'skipped', message: 'Not checked: it needs a.', remedy: null },
        { check: 'c', status: 'skipped', message: 'Not checked: it needs b.', remedy: null },
        { check: 'd', status: 'warning', message: 'D is odd.', remedy: 'Look at D.' },
        { check: 'e', status: 'ok', message: 'E.', remedy: null },
      ],
    });
  });

  test('takes what hangs and what throws for a fault, and cleans every text', async () => {
    const report = await runChecks(
      [
        { check: 'hangs', run: () => new Promise(() => undefined) },
        { check: 'throws', run: () => Promise.reject(new Error('secret is wrong')) },
        {
          check: 'throws at once',
          run() {
            throw new Error('at once');
          },
        },
      ],
      { timeoutMs: 5, clean: (text) => text.replace('secret', '***') },
    );
    expect(report.checks.map(({ status, message }) => [status, message])).toEqual([
      ['fault', 'No answer within 0.005 s.'],
      ['fault', 'The check failed: *** is wrong.'],
      ['fault', 'The check failed: at once.'],
    ]);
    expect(report.checks.every(({ remedy }) => remedy)).toBe(true);
  });

  test('is well where nothing is wrong', async () => {
    expect((await runChecks([{ check: 'a', run: () => ok('A.') }], { timeoutMs: 1_000 })).status).toBe('ok');
  });

  test('several findings are one, as grave as the gravest', () => {
    expect(together([], 'Fine.')).toEqual(ok('Fine.'));
    expect(together([warning('A.', 'Do.', 'X;'), fault('B.', 'Do.', 'Y;')], 'Fine.')).toEqual(
      fault('A. B.', 'Do.', 'X;\nY;'),
    );
    expect(together([warning('A.', 'Do.'), warning('B.', 'Do more.')], 'Fine.')).toEqual(
      warning('A. B.', 'Do. Do more.'),
    );
  });
});

describe('judges', () => {
  test.each([
    [0, 1, 'ok'],
    [2_000, 0, 'ok'],
    [-2_001, 0, 'warning'],
    // A slow answer leaves that much in doubt.
    [2_400, 1_000, 'ok'],
    [2_600, 1_000, 'warning'],
  ])('a clock off by %d ms, known to half of %d ms: %s', (skew, roundTrip, status) => {
    expect(judgeClock(skew, roundTrip).status).toBe(status);
  });

  test('a clock by its direction', () => {
    expect(judgeClock(60_000, 1).message).toBe("The database's clock is 60.0 s ahead of this host's.");
    expect(judgeClock(-60_000, 1).message).toBe("The database's clock is 60.0 s behind this host's.");
  });

  test.each([
    [0, 'ok'],
    [0.01, 'ok'],
    [0.011, 'warning'],
    [0.5, 'warning'],
    [0.51, 'fault'],
  ])('a notification queue that is %d full: %s', (usage, status) => {
    expect(judgeQueue(usage).status).toBe(status);
  });

  test.each([
    [0, 'fault'],
    [9, 'fault'],
    [10, 'warning'],
  ])('%d free connections: %s', (free, status) => {
    expect(judgeRoom(free, 'max_connections is 100', 'SQL').status).toBe(status);
  });

  test.each([
    [0.9, 5e10, true, 'ok'],
    [0.91, 5e10, true, 'warning'],
    [0.999, 1e7, true, 'fault'],
    [0.1, 5e10, false, 'warning'],
  ])('a disk %d used, %d bytes free, writable %s: %s', (used, freeBytes, writable, status) => {
    expect(judgeDisk({ folder: 'data', used, freeBytes, writable }).status).toBe(status);
  });

  const LONG = 'a-token-that-is-long-enough';
  test.each([
    ['127.0.0.1', true, 'on', [null, null, null], 'ok', 'this machine alone'],
    ['127.0.0.1', true, 'off', [null, null, null], 'ok', 'open to this machine'],
    ['0.0.0.0', false, 'off', [null, null, null], 'warning', 'everybody who reaches the port'],
    ['0.0.0.0', false, 'on', [LONG, null, null], 'ok', 'asked for is AUTH_TOKEN'],
    ['0.0.0.0', false, 'on', [`${LONG} short`, null, null], 'warning', 'AUTH_TOKEN is shorter than 16'],
    [
      '0.0.0.0',
      false,
      'on',
      [LONG, `${LONG}2 ${LONG}`, null],
      'warning',
      'A token of VIEWER_TOKEN is one of AUTH_TOKEN',
    ],
  ] as const)(
    'access on %s (loopback %s, AUTH=%s) with %j: %s',
    (host, loopback, auth, tokens, status, words) => {
      const [AUTH_TOKEN, VIEWER_TOKEN, METRICS_TOKEN] = tokens;
      const finding = judgeAccess({
        host,
        loopback,
        auth,
        tokens: { AUTH_TOKEN, VIEWER_TOKEN, METRICS_TOKEN },
      });
      expect(finding.status).toBe(status);
      expect(finding.message).toContain(words);
      expect(JSON.stringify(finding)).not.toContain(LONG);
    },
  );

  test('Prometheus is said to be on or off, and what it has to send', () => {
    expect(judgePrometheus(false, true).message).toContain('404');
    expect(judgePrometheus(true, false).message).toContain('METRICS_TOKEN');
    expect(judgePrometheus(true, true).message).toBe('/metrics is on.');
  });

  test.each([
    ['NOAUTH Authentication required.', 'password'],
    ['WRONGPASS invalid username-password pair', 'password'],
    ['getaddrinfo ENOTFOUND redis.invalid', 'host name'],
    ['ERR DB index is out of range', 'number of the database'],
    ['self-signed certificate', 'rediss://'],
    ['connect ECONNREFUSED 127.0.0.1:1', 'Start Redis'],
    ['connect ETIMEDOUT', 'TLS'],
  ])('Redis that says %s', (words, remedy) => {
    const finding = judgeRedis('redis:6379', words);
    expect([finding.status, finding.remedy]).toEqual(['fault', expect.stringContaining(remedy)]);
  });

  test.each<[TriggerState, 'auto' | 'always' | 'off', boolean, string, string]>([
    ['quiet', 'auto', false, 'ok', 'is quiet'],
    ['always', 'always', false, 'ok', 'every statement notifies'],
    ['absent', 'off', false, 'ok', 'no trigger'],
    ['absent', 'auto', true, 'warning', 'is not on t'],
    ['always', 'auto', true, 'warning', 'notifies for every statement, and BELL=auto wants another'],
    ['quiet', 'always', true, 'warning', 'BELL=always wants another'],
    ['quiet', 'off', true, 'warning', 'BELL=off wants none'],
    ['foreign', 'auto', true, 'warning', 'another key or channel'],
    ['disabled', 'auto', false, 'warning', 'disabled'],
  ])('a trigger that is %s under BELL=%s (to do: %s): %s', (state, setting, todo, status, words) => {
    const finding = judgeBell({ table: 't', setting, state, pending: todo ? 'SQL;' : '', writersMay: true });
    expect(finding.status).toBe(status);
    expect(finding.message).toContain(words);
    if (todo) expect(finding.sql).toBe('SQL;');
  });

  test('a trigger that fails the writers is a fault', () => {
    const bell = { table: 't', setting: 'auto', pending: '', writersMay: false } as const;
    expect(judgeBell({ ...bell, state: 'quiet' }).status).toBe('fault');
    expect(judgeBell({ ...bell, state: 'absent' }).status).toBe('warning');
    expect(judgeBell({ ...bell, setting: 'off', state: 'absent' }).status).toBe('ok');
  });

  test('indexes leaf by leaf, foreign ones left out', () => {
    const leaf = (n: number, ...led: string[]) => ({
      qualified: `p${n}`,
      led: new Set(led),
      foreign: n === 9,
    });
    const all = ['id', 'created_at', 'status'];
    expect(judgeIndexes([leaf(1, ...all), leaf(9)]).status).toBe('ok');
    const finding = judgeIndexes([1, 2, 3, 4, 5].map((n) => leaf(n, 'id', 'created_at')));
    expect(finding.message).toContain('No index of p1, p2, p3 and 2 more is led by status');
    expect(finding.sql?.split('\n')).toHaveLength(5);
  });
});

describe('the text form', () => {
  const report = {
    status: 'fault',
    checks: [
      { check: 'one', status: 'ok', message: 'Fine.', remedy: null },
      {
        check: 'second',
        status: 'fault',
        message: 'Bro\u001b[2Jken.',
        remedy: 'Run:',
        sql: 'SELECT 1;\nSELECT 2;',
      },
      { check: 'third', status: 'skipped', message: 'Not checked: it needs second.', remedy: null },
    ],
  } as const;

  test('has the remedy under its fault, and no control character of a name', () => {
    expect(reportLines(report, false)).toEqual([
      'ok       one     Fine.',
      'FAULT    second  Bro [2Jken.',
      '         -> Run:',
      '            SELECT 1;',
      '            SELECT 2;',
      'skipped  third   Not checked: it needs second.',
      '',
      '1 ok, 0 warnings, 1 faults, 1 skipped',
    ]);
  });

  test('colours the status alone', () => {
    expect(reportLines(report, true)[1]).toBe('\u001b[31mFAULT   \u001b[0m second  Bro [2Jken.');
  });
});

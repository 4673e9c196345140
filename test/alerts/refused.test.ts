/** What cannot be used is refused when the program starts, with one sentence each, before any database is asked. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../src/main.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alerts-refused-'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  [
    'an http URL without permission',
    { WEBHOOK_ALERT_URL: 'http://hooks.example.com/secret-path' },
    null,
    /^WEBHOOK_ALERT_URL .*over http to hooks\.example\.com.*; allowed: https, a loopback address, or WEBHOOK_ALLOW_HTTP=true$/,
  ],
  [
    'a private address where it is forbidden',
    { WEBHOOK_ALERT_URL: 'https://192.168.1.5/secret-path', WEBHOOK_DENY_PRIVATE: 'true' },
    null,
    /^WEBHOOK_ALERT_URL .*192\.168\.1\.5, a private address, and WEBHOOK_DENY_PRIVATE is true; allowed: /,
  ],
  ['broken YAML', {}, 'rules:\n  high_error_rate: { threshold: 5\n', /rules\.yaml:\d+:\d+: /],
  [
    'an unknown rule',
    {},
    'rules:\n  slow_respons: { threshold: 5 }\n',
    /rules\.yaml:2:3: .*slow_respons.*nearest rule is slow_response/,
  ],
  [
    'a negative threshold in the file',
    {},
    'rules:\n  high_error_rate: { threshold: -1 }\n',
    /rules\.yaml:2:33: rules\.high_error_rate\.threshold is -1; allowed: a number from 0 to 100/,
  ],
  [
    'a negative threshold in the environment',
    { ALERT_ERROR_RATE_THRESHOLD: '-1' },
    null,
    /^ALERT_ERROR_RATE_THRESHOLD is "-1" \(from the environment\); allowed: a number from 0 to 100/,
  ],
])('%s', async (_, settings, rules, sentence) => {
  if (rules !== null) await writeFile(join(folder, 'rules.yaml'), rules);
  const said: string[] = [];
  const code = await run(['serve', '--port', '0'], {
    print: (line) => void said.push(line),
    note: (line) => void said.push(line),
    signal: new AbortController().signal,
    colours: false,
    env: {
      // Nobody listens there: to ask it would be another failure.
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
      ...settings,
      ...(rules === null ? {} : { ALERT_RULES_FILE: join(folder, 'rules.yaml') }),
    },
    folder,
  });
  expect(code).toBe(2);
  const sentences = said
    .join('\n')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.endsWith('wrong settings:'));
  expect(sentences).toEqual([expect.stringMatching(sentence)]);
  expect(sentences[0]).not.toContain('secret-path');
});

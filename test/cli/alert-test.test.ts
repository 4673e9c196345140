/** `sync-monitor alert-test` to real receivers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../src/main.js';
import { type Receiver, SECRET, say, startReceiver, verify } from '../alerts/receiver.js';

let first: Receiver;
let second: Receiver;
let folder: string;
beforeEach(async () => {
  first = await startReceiver();
  second = await startReceiver();
  folder = await mkdtemp(join(tmpdir(), 'csm-alert-test-'));
  await writeFile(join(folder, 'rules.yaml'), `receivers:\n  ops: { url: "${second.url}?key=hidden" }\n`);
});
afterEach(async () => {
  await first.close();
  await second.close();
  await rm(folder, { recursive: true });
});

async function alertTest(args: readonly string[], env: Record<string, string> = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const host = {
    print: (line: string) => void out.push(line),
    note: (line: string) => void err.push(line),
    signal: new AbortController().signal,
    colours: false,
    env: { WEBHOOK_ALERT_URL: first.url, WEBHOOK_SECRET: SECRET, ALERT_RULES_FILE: 'rules.yaml', ...env },
    folder,
  };
  const code = await run(['alert-test', ...args], host);
  return { code, out, err: err.join('\n') };
}

test('each receiver gets one signed notice that is marked, and its answer is printed', async () => {
  second.answer = say(202, 'thanks');
  const { code, out, err } = await alertTest([]);
  expect([code, err]).toEqual([0, '']);
  expect(out).toEqual([
    `127.0.0.1 (generic, ${new URL(first.url).origin}/***): delivered, 200 ok`,
    `ops (generic, ${new URL(second.url).origin}/***): delivered, 202 thanks`,
  ]);
  for (const { received } of [first, second]) {
    expect(received).toHaveLength(1);
    for (const one of received) expect(verify(one)).toMatchObject({ test: true, rule: 'alert_test' });
  }
});

test('only the one that is named', async () => {
  expect(await alertTest(['ops'])).toMatchObject({ code: 0, out: [expect.stringMatching(/^ops /)] });
  expect([first.received.length, second.received.length]).toEqual([0, 1]);
});

test.each([
  [401, 'who are you?', /NOT DELIVERED: .* answered 401: who are you\?$/],
  [410, '', /NOT DELIVERED: .*410.*never to be sent anything again$/],
  [503, 'later', /NOT DELIVERED: .* answered 503: later; a real notice would be tried again$/],
])('one that answers %i is told of, and the others are tried all the same', async (status, body, said) => {
  first.answer = say(status, body);
  const { code, out, err } = await alertTest([]);
  expect([code, err]).toEqual([1, '']);
  expect(out).toEqual([expect.stringMatching(said), expect.stringMatching(/^ops .*: delivered, 200 ok$/)]);
});

test('one that nobody answers', async () => {
  const { url } = first;
  await first.close();
  const { code, out } = await alertTest(['127.0.0.1'], { WEBHOOK_ALERT_URL: url });
  first = await startReceiver();
  expect([code, out]).toEqual([1, [expect.stringMatching(/NOT DELIVERED: .*ECONNREFUSED|nobody|refused/)]]);
});

test.each([
  [['opps'], {}, /"opps" is no receiver; the nearest is ops; there are 127\.0\.0\.1, ops/],
  [[], { WEBHOOK_ALERT_URL: '', ALERT_RULES_FILE: '' }, /no receiver is configured/],
  [[], { ALERT_RULES_FILE: 'absent.yaml' }, /absent\.yaml.*cannot be read/],
])('%j with %j is wrong usage', async (args, env, message) => {
  expect(await alertTest(args, env)).toEqual({ code: 2, out: [], err: expect.stringMatching(message) });
});

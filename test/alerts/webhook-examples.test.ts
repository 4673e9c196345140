/** The receivers of dashboards/README.md, run as they stand there, and the notice that it shows. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSigner } from '../../src/alerts/sign.js';
import { run } from '../../src/main.js';
import { until } from '../source/collector.js';
import { SECRET, startReceiver } from './receiver.js';

const document = readFileSync(new URL('../../dashboards/README.md', import.meta.url), 'utf8');
const section = /^## Webhooks\n([\s\S]*?)^## /m.exec(document)?.[1] ?? '';
const block = (language: string) =>
  new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(section)?.[1] ?? '';

let folder: string;
const ends: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csm-webhook-examples-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.destroy() !== undefined));
    socket.on('error', () => resolve(false));
  });

async function startExample(program: string, file: string, code: string) {
  await writeFile(join(folder, file), code);
  const port = await freePort();
  const child = spawn(program, [join(folder, file)], {
    env: { PATH: process.env.PATH, PORT: String(port), WEBHOOK_SECRET: SECRET },
  });
  const exited = once(child, 'exit');
  ends.push(() => {
    child.kill();
    return exited;
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => said.push(String(data)));
  await until(() => answers(port), `${file} listens; it said: ${said.join('')}`);
  return { url: `http://127.0.0.1:${port}/`, lines: () => said.join('').split('\n').filter(isNotice) };
}

/** Python's server also logs each request. */
const isNotice = (line: string) => /^(warning|critical) /.test(line);

function alertTest(url: string): Promise<number> {
  const host = { print: () => undefined, note: () => undefined, signal: new AbortController().signal };
  const env = { WEBHOOK_ALERT_URL: url, WEBHOOK_SECRET: SECRET };
  return run(['alert-test'], { ...host, colours: false, folder, env });
}

describe.each([
  ['Node.js', process.execPath, 'receiver.mjs', 'js'],
  ['Python', 'python3', 'receiver.py', 'python'],
])('the receiver in %s', (_, program, file, language) => {
  const there = spawnSync(program, ['--version']).status === 0;
  if (!there) console.log(`${program} is not installed: its receiver of notices is not tested`);

  test.skipIf(!there)('takes what the monitor sends, once, and nothing else', async () => {
    const { url, lines } = await startExample(program, file, block(language));
    expect(await alertTest(url)).toBe(0);
    await until(() => lines().length === 1, 'the notice is shown');
    expect(lines()[0]).toMatch(/^(warning|critical) alert_test firing: \S/);

    const body = JSON.stringify({ severity: 'warning', rule: 'made_here', state: 'firing', title: 'Straße' });
    const now = Date.now();
    const ask = (headers: Readonly<Record<string, string>>, sent = body) =>
      fetch(url, { method: 'POST', headers, body: sent }).then(({ status }) => status);
    const signed = (at: number, secret = SECRET) => createSigner(secret)('msg_1', new Date(at), body);
    const other = `whsec_${Buffer.from('somebody else entirely').toString('base64').slice(0, 28)}`;
    expect(await ask(signed(now, other))).toBe(401);
    expect(await ask(signed(now), body.replace('warning', 'mistake'))).toBe(401);
    expect(await ask(signed(now - 400_000))).toBe(401);
    expect(await ask({ ...signed(now), 'webhook-id': 'msg_2' })).toBe(401);
    expect(await ask({ ...signed(now), 'webhook-timestamp': 'soon' })).toBe(401);
    expect(await ask(createSigner(null)('msg_1', new Date(now), body))).toBe(401);
    expect(await ask({})).toBe(401);
    // Two secrets while one is replaced; and the same notice again, as after an answer that was lost.
    expect(await ask(signed(now, `${other} ${SECRET}`))).toBe(204);
    expect(await ask(signed(now))).toBe(204);
    expect(lines().slice(1)).toEqual(['warning made_here firing: Straße']);
  });
});

test('the notice has the keys of one that is sent', async () => {
  const receiver = await startReceiver();
  ends.push(() => receiver.close());
  expect(await alertTest(receiver.url)).toBe(0);
  const sent = JSON.parse(receiver.received[0]?.body ?? '');
  const shown = JSON.parse(block('json'));
  const keys = ({ details, evidence, ...rest }: Record<string, object>) =>
    [rest, details, evidence].map((part) => Object.keys(part ?? {}));
  expect(keys(shown)).toEqual(keys(sent));
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'])
    expect(receiver.received[0]?.headers[name], name).toBeDefined();
});

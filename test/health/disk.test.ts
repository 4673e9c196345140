/** The disk check on a small file system of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Asking } from '../../src/health/asking.js';
import { diskCheck } from '../../src/health/disk.js';

const folder = mkdtempSync(join(tmpdir(), 'csm-disk-'));
const options = ['-t', 'tmpfs', '-o', 'size=1m,nr_inodes=50', 'csm-test', folder];
const mounted = spawnSync('mount', options, { encoding: 'utf8' });
const IS_MOUNTED = mounted.status === 0;
if (!IS_MOUNTED) {
  const reason = mounted.error?.message ?? mounted.stderr.trim();
  console.log(`mount is not permitted here (${reason}): a full disk is not tested`);
}

afterAll(() => {
  if (IS_MOUNTED) expect(spawnSync('umount', [folder]).status).toBe(0);
  rmSync(folder, { recursive: true });
});

const ask = (path: string, threshold = 90) =>
  new Asking(diskCheck(path, threshold), 10_000).ask(new AbortController().signal);

describe.runIf(IS_MOUNTED)('a small disk', () => {
  it('is well while it is empty, degraded above its threshold, and well again', async () => {
    expect(await ask(folder)).toMatchObject({
      available: true,
      details: { used_percent: 0, free_bytes: 2 ** 20, threshold_percent: 90 },
    });
    writeFileSync(join(folder, 'log'), Buffer.alloc(870_000));
    const below = await ask(folder);
    expect(below).not.toHaveProperty('concern');
    writeFileSync(join(folder, 'more'), Buffer.alloc(100_000));
    const full = await ask(folder);
    expect(full).toMatchObject({ available: true, concern: true });
    expect(full.message).toMatch(/^9\d(\.\d+)? % of the disk of .* is used, 0\.0 GiB are free: above 90 %$/);
    expect(full.details?.used_percent).toBe(df(folder));
    expect((await ask(folder, 99))?.concern).toBeUndefined();
    rmSync(join(folder, 'log'));
    expect((await ask(folder)).concern).toBeUndefined();
    rmSync(join(folder, 'more'));
  });

  it('is degraded without inodes too', async () => {
    for (let i = 0; i < 48; i++) writeFileSync(join(folder, String(i)), '');
    const full = await ask(folder);
    expect(full).toMatchObject({ available: true, concern: true, details: { used_percent: 0 } });
    expect(full.message).toMatch(/^9\d(\.\d+)? % of the inodes/);
  });
});

it('a path that is not there is down, and says so', async () => {
  const asked = await ask(join(folder, 'nowhere'));
  expect(asked).toMatchObject({ available: false, message: expect.stringContaining('ENOENT') });
});

/** What df says, rounded like ours. */
function df(path: string): number {
  const { stdout } = spawnSync('df', ['--output=used,avail', '-B1', path], { encoding: 'utf8' });
  const [used = 0, free = 0] = (stdout.trim().split('\n')[1] ?? '').trim().split(/\s+/).map(Number);
  return Math.round((used / (used + free)) * 10_000) / 100;
}

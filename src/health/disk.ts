/** The disk under a path: space and inodes, as df counts them. */
import { statfs } from 'node:fs/promises';
import { type Check, concern, well } from './check.js';

const GIB = 2 ** 30;

/** @param threshold percent above which it is degraded */
export function diskCheck(path: string, threshold: number): Check {
  return {
    component: 'disk',
    // Cannot be cancelled: where the mount hangs, whoever asks waits for the one question (asking.ts).
    async ask() {
      const { bavail, blocks, bfree, bsize, files, ffree } = await statfs(path);
      // What is reserved for root is neither used nor free.
      const used = percent(blocks - bfree, blocks - bfree + bavail);
      // Some file systems have no fixed number of inodes, and say 0.
      const inodes = files === 0 ? null : percent(files - ffree, files);
      const details = {
        used_percent: used,
        inodes_used_percent: inodes,
        free_bytes: bavail * bsize,
        threshold_percent: threshold,
      };
      const space = `${used} % of the disk of ${path} is used, ${(details.free_bytes / GIB).toFixed(1)} GiB are free`;
      if (used > threshold) return concern(`${space}: above ${threshold} %`, details);
      if (inodes !== null && inodes > threshold)
        return concern(`${inodes} % of the inodes of the disk of ${path} are used; ${space}`, details);
      return well(space, details);
    },
  };
}

function percent(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.round((part / whole) * 10_000) / 100;
}

/**
 * Starts the shared clusters before the database tests, with a template database in each. A worker has one of each
 * version to itself: locks, notifications, roles and transactions of a cluster are seen by all of its databases, so
 * tests that run at the same time would disturb each other there.
 */
import { readFile } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { ask, availableVersions, type Cluster, startCluster, type Version } from './postgres.js';

export const TEMPLATE = 'csm_template';

/**
 * By version: the addresses of the `postgres` databases, one for each worker. A version that is not installed is
 * absent.
 */
export interface SharedClusters {
  readonly [version: number]: readonly string[];
}

declare module 'vitest' {
  export interface ProvidedContext {
    sharedClusters?: SharedClusters;
  }
}

export default async function setup({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Of several projects that ask for this in one run, the first has made them for all.
  if (vitest.getProvidedContext().sharedClusters) return undefined;
  const workers = Math.max(...vitest.projects.map(({ config }) => config.maxWorkers ?? 1));
  const table = await readFile(new URL('../../sql/demo/table.sql', import.meta.url), 'utf8');
  const clusters: Cluster[] = [];
  const start = async (version: Version, copyOf?: Cluster) => {
    const cluster = await startCluster({ version, fsync: false, ...(copyOf && { copyOf }) });
    clusters.push(cluster);
    return cluster;
  };
  const startAll = async (version: Version) => {
    const first = await start(version);
    await ask(first.url(), `CREATE DATABASE ${TEMPLATE}`);
    await ask(first.url(TEMPLATE), table);
    if (workers === 1) return [version, [first.url()]] as const;
    await first.stop();
    const others = await all(Array.from({ length: workers - 1 }, () => start(version, first)));
    await first.start();
    return [version, [first, ...others].map((cluster) => cluster.url())] as const;
  };
  const stopAll = async () => {
    await Promise.all(clusters.map((cluster) => cluster.destroy()));
  };
  try {
    const urls = await all((await availableVersions()).map(startAll));
    vitest.provide('sharedClusters', Object.fromEntries(urls));
  } catch (error) {
    await stopAll();
    throw error;
  }
  return stopAll;
}

/** As Promise.all, but what is under way has ended when it throws. */
async function all<T>(promises: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

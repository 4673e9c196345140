/** Starts one shared cluster per available version before the database tests, and a template database in each. */
import { readFile } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { ask, availableVersions, type Cluster, startCluster } from './postgres.js';

export const TEMPLATE = 'csm_template';

/** By version: the address of its `postgres` database. A version that is not installed is absent. */
export interface SharedClusters {
  readonly [version: number]: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    sharedClusters: SharedClusters;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const table = await readFile(new URL('../../sql/demo/table.sql', import.meta.url), 'utf8');
  const clusters: Cluster[] = [];
  const stopAll = async () => {
    await Promise.all(clusters.map((cluster) => cluster.destroy()));
  };
  try {
    const urls: Record<number, string> = {};
    for (const version of await availableVersions()) {
      const cluster = await startCluster({ version, fsync: false });
      clusters.push(cluster);
      await ask(cluster.url(), `CREATE DATABASE ${TEMPLATE}`);
      await ask(cluster.url(TEMPLATE), table);
      urls[version] = cluster.url();
    }
    project.provide('sharedClusters', urls);
  } catch (error) {
    await stopAll();
    throw error;
  }
  return stopAll;
}

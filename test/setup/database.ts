/** A database of its own for each test, cloned from the template of this worker's shared cluster. */
import { inject } from 'vitest';
import { TEMPLATE } from './global.js';
import { ask, type Version } from './postgres.js';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Ends what is still connected and drops the database. */
  drop(): Promise<void>;
}

let made = 0;

/** The versions whose shared cluster runs, for `describe.each`. */
export function sharedVersions(): Version[] {
  return ([18, 15] as const).filter((version) => inject('sharedClusters')?.[version] !== undefined);
}

/**
 * The newest of them alone: for suites of what both take in the same way, in a run that has to end in time. Ingestion
 * and faults are shown on all of them in every run; `TEST_POSTGRES=all npm test` runs everything on all of them.
 */
export function newestVersion(): Version[] {
  return process.env.TEST_POSTGRES === 'all' ? sharedVersions() : sharedVersions().slice(0, 1);
}

/**
 * The database `postgres` of the shared cluster that this worker has to itself, as its superuser.
 * @throws when that version is not installed.
 */
export function adminUrl(version: Version): string {
  const url = inject('sharedClusters')?.[version]?.[Number(process.env.VITEST_POOL_ID) - 1];
  if (url === undefined) {
    throw new Error(`PostgreSQL ${version} is not installed here (apt-get install postgresql-${version})`);
  }
  return url;
}

/**
 * A fresh database that has the sample table `customer_sync_logs`, empty.
 * @throws when that version is not installed.
 */
export async function freshDatabase(version: Version = 18): Promise<TestDatabase> {
  const admin = adminUrl(version);
  made += 1;
  const name = `t${process.pid}_${made}_${Math.random().toString(36).slice(2, 8)}`;
  await ask(admin, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name,
    async drop() {
      await ask(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

import { defineConfig } from 'vitest/config';

/** Suites that need no database; one here that does is named `*.db.test.ts`. */
const UNIT = [
  'test/streams/**/*.test.ts',
  'test/alerts/**/*.test.ts',
  'test/http/**/*.test.ts',
  'test/cli/**/*.test.ts',
  'test/celery/**/*.test.ts',
  'test/health/**/*.test.ts',
  'test/dashboard/**/*.test.ts',
  'test/deploy/**/*.test.ts',
  'test/package/**/*.test.ts',
  'test/*.test.ts',
];

/**
 * Suites with a database that take all that the machine has, or whose numbers others' load would change: writers as
 * fast as they can, floods, processes killed under load. They run one at a time, after all the others. A suite that
 * waits for most of its time does not belong here, even if it brings some writers: workers share no cluster.
 */
const LOAD = [
  'test/monitor/exactness.test.ts',
  'test/faults/bell-load.test.ts',
  'test/faults/history.test.ts',
  'test/faults/history-kills.test.ts',
  'test/faults/kills.test.ts',
  'test/source/modes.test.ts',
];

const DATABASE = {
  globalSetup: ['test/setup/build.ts', 'test/setup/global.ts'],
  // Of what computes for 10 s alone, beside two others on a machine that has other work as well.
  testTimeout: 120_000,
  hookTimeout: 60_000,
};

// The projects run one after another, each with its own number of workers; meant for two cores.
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: UNIT,
          exclude: ['**/*.db.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          ...DATABASE,
          name: 'database',
          include: ['test/**/*.test.ts'],
          exclude: [...UNIT.map((pattern) => pattern.replace('*.test.ts', '!(*.db).test.ts')), ...LOAD],
          // Most of these wait more than they compute, and each worker has clusters of its own.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...DATABASE,
          name: 'load',
          include: LOAD,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'streams/**/*.ts'],
      reporter: ['text-summary', 'json-summary', 'html'],
      thresholds: {
        lines: 85,
        statements: 85,
        'streams/**': { lines: 90, statements: 90 },
        'src/source/**': { lines: 90, statements: 90 },
        'src/monitor.ts': { lines: 90, statements: 90 },
      },
    },
  },
});

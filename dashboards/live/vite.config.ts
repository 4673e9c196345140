import { resolve } from 'node:path';
import { defineConfig } from 'vite';

/** Browsers that know light-dark(): the styles are written with it, and a translation of it would double them. */
const BROWSERS = ['chrome123', 'edge123', 'firefox120', 'safari17.5'];

const MONITOR = process.env.MONITOR ?? 'http://127.0.0.1:8080';

export default defineConfig({
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

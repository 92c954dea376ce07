import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Every page beside this file is an entry; the files of public/ are copied as they are. */
const pages = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.html'));

export default defineConfig({
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['es2022', 'chrome111', 'firefox117', 'safari16.4'],
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { input: pages },
  },
  server: {
    proxy: { '/v1': { target: 'http://127.0.0.1:8080', ws: true } },
  },
  test: {
    include: ['client/**/*.test.ts', 'app/**/*.test.{ts,tsx}', 'build/*.test.js'],
    restoreMocks: true,
    unstubGlobals: true,
  },
});

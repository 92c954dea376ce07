import { defineConfig } from 'vite';

/** The client library alone, as one ES module for pages that are not ours. */
export default defineConfig({
  publicDir: false,
  // Relative, so that the worker is found wherever the two files are put.
  base: './',
  build: {
    outDir: 'dist/lib',
    emptyOutDir: true,
    target: ['es2022', 'chrome111', 'firefox117', 'safari16.4'],
    lib: { entry: 'client/index.ts', formats: ['es'], fileName: () => 'anteroom.js' },
  },
});

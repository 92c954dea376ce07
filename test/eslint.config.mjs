import js from '@eslint/js';
import { defineConfig } from 'eslint/config';

/** The browser tests' own; tsc checks their types and names (test/tsconfig.json). */
export default defineConfig(js.configs.recommended, {
  rules: { 'no-undef': 'off', eqeqeq: 'error', 'max-lines': ['error', { max: 400 }] },
});

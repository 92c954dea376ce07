import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import ts from 'typescript-eslint';

const wall = (message, ...regexes) => ({
  'no-restricted-imports': ['error', { patterns: regexes.map((regex) => ({ regex, message })) }],
});

export default defineConfig(
  globalIgnores(['dist', '**/*.gen.ts']),
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [ts.configs.strictTypeChecked, ts.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 400 }],
      'no-console': 'error',
    },
  },
  {
    // The library stands alone: no dependency, nothing of the pages.
    files: ['client/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: wall('web/client imports nothing but itself', '^[^.]', '/app/'),
  },
  {
    // Pages speak to the library, never to the protocol or to WebRTC.
    files: ['app/**/*.{ts,tsx}'],
    rules: {
      ...wall('import the library through client/index', '/client/(?!index$)'),
      'no-restricted-globals': ['error', 'WebSocket', 'RTCPeerConnection', 'RTCRtpScriptTransform'],
      'no-restricted-syntax': [
        'error',
        { selector: 'Identifier[name=/^RTC[A-Z]/]', message: 'RTC classes belong to web/client' },
        {
          selector: 'MemberExpression[property.name="mediaDevices"]',
          message: 'devices belong to web/client',
        },
      ],
    },
  },
  {
    // Their tests may borrow the library's scripted sockets and devices.
    files: ['app/**/*.test.{ts,tsx}', 'app/**/testing.ts'],
    rules: wall('import the library through client/index', '/client/(?!index$|testing/)'),
  },
  {
    files: ['**/*.{js,config.ts}'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['public/*.js'],
    languageOptions: { globals: { document: 'readonly', location: 'readonly' } },
  },
  {
    // Parts of it run in the page.
    files: ['**/*.browser.test.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'window',
          'document',
          'setInterval',
          'requestAnimationFrame',
          'Worker',
          'RTCPeerConnection',
          'RTCRtpScriptTransform',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);

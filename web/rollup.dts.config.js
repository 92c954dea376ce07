import { dts } from 'rollup-plugin-dts';

export default {
  input: 'client/index.ts',
  output: { file: 'dist/lib/anteroom.d.ts', format: 'es' },
  plugins: [dts()],
};

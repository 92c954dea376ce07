/**
 * Adds up, compressed, what each page makes a phone load before it works, workers included, and fails
 * where it is more than promised. Run it after `npm run build`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const dist = join(import.meta.dirname, '../dist');
const kB = 1000;

/** kB of gzip. */
const pages = {
  'join.html': { script: 50, style: 12 },
  'staff.html': { script: 90, style: 12 },
  'try.html': { script: 50, style: 12 },
};
const library = 20;

/**
 * All files of an entry of Vite's manifest: itself, what it imports, its styles and its workers.
 * @param {Record<string, {file: string, imports?: string[], dynamicImports?: string[], css?: string[], assets?: string[]}>} manifest
 * @param {string} entry
 */
export function filesOf(manifest, entry, seen = new Set()) {
  const chunk = manifest[entry];
  if (!chunk) throw new Error(`${entry} is not in the manifest: was it built?`);
  for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) seen.add(file);
  for (const next of [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])]) {
    if (!seen.has(manifest[next]?.file)) filesOf(manifest, next, seen);
  }
  return seen;
}

function compressed(files) {
  return files.reduce(
    (sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length,
    0,
  );
}

function measured() {
  const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'));
  const rows = Object.entries(pages).flatMap(([page, { script, style }]) => {
    const files = [...filesOf(manifest, page)];
    return [
      { what: `${page} script`, files: files.filter((name) => name.endsWith('.js')), most: script },
      { what: `${page} style`, files: files.filter((name) => name.endsWith('.css')), most: style },
    ];
  });
  const lib = readdirSync(join(dist, 'lib'), { recursive: true }).map((name) => join('lib', name));
  return [
    ...rows,
    { what: 'lib/anteroom.js', files: lib.filter((name) => name.endsWith('.js')), most: library },
  ];
}

function main() {
  for (const { what, files, most } of measured()) {
    const size = compressed(files) / kB;
    // Nothing at all is no small page but a broken build.
    const fine = size > 0 && size <= most;
    console.log(`${fine ? 'ok  ' : 'OVER'} ${what}: ${size.toFixed(1)} of ${most} kB`);
    if (!fine) process.exitCode = 1;
  }
}

if (process.argv[1] === import.meta.filename) main();

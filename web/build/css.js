/**
 * Holds the style sheets to three rules that eslint does not see: directions are logical, so that a page
 * can be mirrored for right-to-left languages; colours come from tokens.css, so that the dark look
 * and the contrast are settled in one place; and a rem stays what the reader has set, 16 px unless they
 * changed it, so that sizes are what the tokens say.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../app/styles');
const tokens = 'tokens.css';

const physical =
  /^\s*(?:(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right|top|bottom)[a-z-]*|left|right|top|bottom|(?:min-|max-)?(?:width|height)|float|clear|border-(?:top|bottom)-(?:left|right)-radius)\s*:/;
const physicalValue = /^\s*text-align\s*:\s*(?:left|right)\b/;
const literalColour =
  /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch|color)a?\(|:\s*(?:black|white|red|green|blue|gr[ae]y)\b/i;
const font = /^\s*font(?:-size)?\s*:/;
const selector = /^(.*[^\s])\s*\{/;

/** @param {string} css @param {boolean} mayNameColours @returns {{line: number, rule: string}[]} */
export function faults(css, mayNameColours) {
  let inside = '';
  return withoutComments(css)
    .split('\n')
    .flatMap((text, index) => {
      const line = index + 1;
      inside = selector.exec(text)?.[1]?.trim() ?? inside;
      if ((inside === 'html' || inside === ':root') && font.test(text))
        return [{ line, rule: 'set the font on body: on the root it changes what a rem is' }];
      if (physical.test(text) || physicalValue.test(text))
        return [{ line, rule: 'use a logical property (inline, block)' }];
      if (!mayNameColours && literalColour.test(text))
        return [{ line, rule: `take the colour from ${tokens}` }];
      return [];
    });
}

/** Keeps the line breaks, so that line numbers stay true. */
function withoutComments(css) {
  return css.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
}

function main() {
  const sheets = readdirSync(folder).filter((name) => name.endsWith('.css'));
  const found = sheets.flatMap((name) =>
    faults(readFileSync(join(folder, name), 'utf8'), name === tokens).map(
      ({ line, rule }) => `app/styles/${name}:${line}: ${rule}`,
    ),
  );
  for (const fault of found) console.error(fault);
  if (sheets.length === 0) console.error(`no style sheets in ${folder}`);
  process.exitCode = found.length > 0 || sheets.length === 0 ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) main();

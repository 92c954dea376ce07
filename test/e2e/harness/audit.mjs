/** A look at one screen as it is now: its accessibility, and its picture in every size and colour scheme. */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../screenshots/', import.meta.url));
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const schemes = /** @type {const} */ (['light', 'dark']);

/** Layout goes with size and contrast with scheme, so that two of the four looks show all of both. */
const examined = new Set(['phone-light', 'desktop-dark']);

export class Audit {
  /** @type {object[]} */
  #found = [];

  /**
   * Writes `screenshots/NAME-SIZE-SCHEME.png` and examines the screen.
   *
   * @param {import('./person.mjs').Person} person
   * @param {string} name of the screen
   */
  async look({ page }, name) {
    await mkdir(folder, { recursive: true });
    const before = page.viewportSize();
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
        if (!examined.has(`${size}-${colorScheme}`)) continue;
        for (const violation of await violations(page)) {
          this.#found.push({ screen: `${name}-${size}-${colorScheme}`, ...violation });
        }
      }
    }
    await page.emulateMedia({ colorScheme: null });
    if (before) await page.setViewportSize(before);
  }

  /** Nothing wrong was found on any screen. */
  check() {
    assert.deepEqual(this.#found, []);
  }
}

/**
 * @param {import('playwright-core').Page} page
 * @returns {Promise<{ id: string, where: string[] }[]>}
 */
async function violations(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await /** @type {any} */ (window).axe.run();
    return violations.map((/** @type {any} */ { id, nodes }) => ({
      id,
      where: nodes.map((/** @type {any} */ node) => node.target.join(' ')),
    }));
  });
}

/** A patient or a guest at their page. */
import { devices } from 'playwright-core';
import { Person } from './person.mjs';
import { until } from './until.mjs';

export const phone = devices['iPhone 15'];

export class Visitor extends Person {
  /** The id of their seat, once the link was given. */
  seat = '';

  /** @param {import('./clinic.mjs').Seat} seat */
  async open(seat) {
    this.seat = seat.id;
    await this.page.goto(seat.link);
    await this.atScreen('welcome', 'preview');
  }

  /** @param {string[]} names screens of which one is waited for */
  async atScreen(...names) {
    await until(
      `${this.name} is at ${names.join(' or ')}`,
      async () => names.includes(await this.screen()),
      { tell: () => this.screen() },
    );
  }

  async screen() {
    return (await this.hook('state').getAttribute('data-screen')) ?? '';
  }

  async state() {
    return (await this.hook('state').getAttribute('data-state')) ?? '';
  }

  /** @param {string} state of the seat */
  async atState(state) {
    await until(`${this.name} is ${state}`, async () => (await this.state()) === state, {
      tell: () => this.state(),
    });
  }

  /** Camera and microphone on, still alone with them. */
  async check() {
    await this.page.getByRole('button', { name: 'Check camera and sound' }).click();
    await this.allow();
    await this.atScreen('preview');
    await this.previewRuns();
  }

  async previewRuns() {
    await until(`${this.name} sees themselves`, () =>
      this.hook('self-video').evaluate(
        (video) => /** @type {HTMLVideoElement} */ (video).videoWidth > 0,
      ),
    );
  }

  /**
   * Opens a link that is open elsewhere, and is asked about it.
   *
   * @param {import('./clinic.mjs').Seat} seat
   */
  async knock(seat) {
    this.seat = seat.id;
    await this.page.goto(seat.link);
    await this.atError('seat_in_use');
  }

  /** @param {string} code of the problem that the page shows */
  async atError(code) {
    await until(
      `${this.name} reads about ${code}`,
      async () => (await this.hook('error').getAttribute('data-code')) === code,
      { tell: () => this.screen() },
    );
  }

  async takeOver() {
    await this.page.getByRole('button', { name: 'Use this one instead' }).click();
    await this.allow();
  }

  /**
   * Asks for camera and microphone, where the page has not by itself.
   *
   * @param {string} code of the failure
   */
  async checkFails(code) {
    if ((await this.screen()) === 'welcome') {
      await this.page.getByRole('button', { name: 'Check camera and sound' }).click();
    }
    await this.atError(code);
  }

  async join() {
    await this.hook('join').click();
    await this.atState('waiting');
  }

  /**
   * From the link to the waiting room.
   *
   * @param {import('./clinic.mjs').Seat} seat
   */
  async arrive(seat) {
    await this.open(seat);
    await this.check();
    await this.join();
  }

  /** @param {string} text */
  async write(text) {
    if (!(await this.hook('chat-input').isVisible())) {
      await this.page.getByRole('button', { name: 'Chat' }).click();
    }
    await this.hook('chat-input').fill(text);
    await this.hook('chat-send').click();
  }
}

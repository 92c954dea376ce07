/** A clinician at the waiting room. */
import { Person } from './person.mjs';
import { until } from './until.mjs';

export class Clinician extends Person {
  /** Their seat in the visit they are in, as the others know it. */
  seat = '';

  /** @param {string} link */
  async open(link) {
    await this.page.goto(link);
    await this.start();
  }

  /** Camera and sound on. */
  async start() {
    await this.page.getByRole('button', { name: 'Turn on camera and sound' }).click();
    await this.allow();
    await this.connected();
  }

  /** @param {{ seat: string }} visitor */
  row({ seat }) {
    return this.page.locator(`[data-testid="row"][data-seat="${seat}"]`);
  }

  /**
   * @param {import('./visitor.mjs').Visitor} visitor
   * @param {string} state
   */
  async sawRow(visitor, state) {
    await until(
      `the row of ${visitor.name} says ${state}`,
      async () => (await this.row(visitor).getAttribute('data-state', { timeout: 1000 })) === state,
      { tell: () => this.rows() },
    );
  }

  /** Seats of the list from top to bottom. */
  rows() {
    return this.hook('row').evaluateAll((rows) => rows.map((row) => row.dataset['seat']));
  }

  /** @param {{ seat: string }} visitor */
  async openCard(visitor) {
    await this.row(visitor).getByTestId('admit').click();
    await this.hook('confirm-admit').waitFor();
  }

  /**
   * Admits after a look at the identity card.
   *
   * @param {import('./visitor.mjs').Visitor} visitor
   */
  async admit(visitor) {
    await this.openCard(visitor);
    await this.hook('confirm-admit').click();
    await this.inVisitWith(visitor);
  }

  /** @param {import('./visitor.mjs').Visitor} visitor */
  async inVisitWith(visitor) {
    await visitor.atState('admitted');
    const mine = visitor.hook('remote-video').and(visitor.page.locator('[data-role="clinician"]'));
    this.seat = (await mine.getAttribute('data-seat')) ?? '';
  }

  /**
   * A button beside one person in the visit.
   *
   * @param {'hold' | 'resume' | 'return' | 'remove'} action
   * @param {import('./visitor.mjs').Visitor} visitor
   */
  async press(action, { seat }) {
    await this.page.locator(`[data-testid="${action}"][data-seat="${seat}"]`).click();
  }

  /** @param {string} text */
  async write(text) {
    await this.hook('chat-input').fill(text);
    await this.hook('chat-send').click();
  }

  async end() {
    await this.hook('end').click();
    await this.hook('confirm-end').click();
  }
}

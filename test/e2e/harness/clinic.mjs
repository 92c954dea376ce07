/** A clinic's day as its own system makes it over REST: a waiting room, staff, visits. */

/**
 * @typedef {{ id: string, role: string, name: string, link: string }} Seat
 * @typedef {{ id: string, patient: Seat, guests: Seat[] }} MadeVisit
 */

export class Clinic {
  #server;
  #room;

  /**
   * @param {import('./server.mjs').Server} server
   * @param {string} room the id of its waiting room
   */
  constructor(server, room) {
    this.#server = server;
    this.#room = room;
  }

  /** @param {import('./server.mjs').Server} server */
  static async make(server, name = 'Oncology') {
    const room = await server.call('POST', '/v1/rooms', { name });
    return new Clinic(server, room.id);
  }

  /**
   * A new clinician's link.
   *
   * @param {string} name
   * @returns {Promise<string>}
   */
  async clinician(name, role = 'clinician') {
    const staff = await this.#server.call('POST', '/v1/staff', { name, role, rooms: [this.#room] });
    return (await this.#server.call('POST', `/v1/staff/${staff.id}/link`, {})).link;
  }

  /**
   * @param {string} patient their name
   * @param {{ role: string, name: string }[]} [guests]
   * @param {object} [more] other fields of a visit
   * @returns {Promise<MadeVisit>}
   */
  async visit(patient, guests = [], more = {}) {
    const visit = await this.#server.call('POST', '/v1/visits', {
      room: this.#room,
      patient: { name: patient, birthDate: '1950-02-03' },
      reason: 'Cough for two weeks',
      guests,
      ...more,
    });
    const [seat, ...others] = visit.seats;
    return { id: visit.id, patient: seat, guests: others };
  }

  /** @param {string} id of a visit */
  read(id) {
    return this.#server.call('GET', `/v1/visits/${id}`);
  }
}

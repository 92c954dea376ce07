/** The people of the view with their pictures; a person's object stays for as long as they are there. */
import type { Participant } from './api';
import { Picture } from './picture';
import type { Peer } from './peer/peer';
import type { Person, Slot, View } from './wire.gen';

/** The peer that receives, and its number. */
export interface Receiving {
  peer: Peer | undefined;
  generation: number;
  /** the number of the peer before, if this one brought everybody before that one went */
  continued?: number | undefined;
  /** who is in its slots; undefined: as the view says */
  slots?: readonly Slot[] | undefined;
}

export class Participants {
  readonly #changed: () => void;
  readonly #pictures = new Map<string, Picture>();
  #all: readonly Participant[] = [];

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get all(): readonly Participant[] {
    return this.#all;
  }

  update(view: View | undefined, receiving: Receiving): void {
    const people = (view?.people ?? []).map((person) => this.#moving(person, receiving));
    this.#forgetAllBut(new Set(people.map(({ seat }) => seat)));
    this.#all = people.map((person) => this.#participant(person, view, receiving));
  }

  replay(): void {
    for (const picture of this.#pictures.values()) picture.replay();
  }

  /**
   * While a former peer brings people, a new server learns of one after the other that they are there, and what they send. So they are
   * shown as they were, for as long as that lasts.
   */
  #moving(person: Person, { slots }: Receiving): Person {
    const before = slots && this.#all.find(({ seat }) => seat === person.seat);
    return before ? { ...person, link: before.link, media: before.media } : person;
  }

  #participant(person: Person, view: View | undefined, receiving: Receiving): Participant {
    const slots = receiving.slots ?? view?.slots ?? [];
    const slot = slots.findIndex(({ seat }) => seat === person.seat);
    const video = this.#picture(person.seat);
    const track = receiving.peer?.slot(slot)?.video;
    const seen = track !== undefined && person.media.video === 'on' && person.state === 'admitted';
    const paused = seen && view?.paused === true;
    // What the element shows when a pause ends is the last frame before it.
    const start = [receiving.generation, slot, slots[slot]?.gen, paused].join('.');
    const { generation: peer, continued } = receiving;
    video.show(seen ? { track, start, peer, continued } : undefined);
    return {
      ...person,
      me: person.seat === view?.me.seat,
      paused,
      slot: slot < 0 ? undefined : slot,
      video,
    };
  }

  #picture(seat: string): Picture {
    const picture = this.#pictures.get(seat) ?? new Picture(this.#changed);
    this.#pictures.set(seat, picture);
    return picture;
  }

  #forgetAllBut(seats: ReadonlySet<string>): void {
    for (const [seat, picture] of this.#pictures) {
      if (seats.has(seat)) continue;
      picture.show(undefined);
      this.#pictures.delete(seat);
    }
  }
}

/**
 * Proof that a device works again: bytes leave where media is being sent, and otherwise the track is
 * live and a microphone gives more than digital silence.
 */
import type { Kind, Peer } from '../peer/peer';
import type { Lane } from './lane';

const pollMS = 250;
const polls = 8;

export interface Evidence {
  lane: Lane;
  /** the peer that sends the track now, if media may leave */
  peer: Peer | undefined;
  /** undefined where loudness cannot be read */
  level: number | undefined;
}

/** Within 2 s, for all of them. */
export async function prove(
  kinds: readonly Kind[],
  look: (kind: Kind) => Evidence,
): Promise<boolean> {
  const before = new Map<Kind, number>();
  for (const kind of kinds) before.set(kind, await bytes(kind, look(kind).peer));
  const unproved = new Set(kinds);
  for (let poll = 0; poll < polls && unproved.size > 0; poll += 1) {
    await new Promise((resolve) => setTimeout(resolve, pollMS));
    for (const kind of unproved) {
      if (await proved(kind, look(kind), before.get(kind) ?? 0)) unproved.delete(kind);
    }
  }
  return unproved.size === 0;
}

async function proved(
  kind: Kind,
  { lane, peer, level }: Evidence,
  before: number,
): Promise<boolean> {
  const { track } = lane;
  if (!lane.wanted || lane.state === 'missing') return true;
  if (track?.readyState !== 'live' || track.muted) return false;
  // A person who muted sends silence, and that is right.
  if (!track.enabled) return true;
  if (kind === 'audio' && level === 0) return false;
  return !peer || (await bytes(kind, peer)) > before;
}

async function bytes(kind: Kind, peer: Peer | undefined): Promise<number> {
  return peer ? peer.bytesSent(kind) : 0;
}

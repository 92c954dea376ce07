/** What the page's address says. The token is in the fragment, which never reaches a server. */
import type { JoinedKind } from '../../client/index';

export interface Address {
  token: string | undefined;
  handle: string | undefined;
  /** staff: the waiting room they chose */
  room: string | undefined;
}

const paths: Record<JoinedKind, string> = { seat: '/visit/', staff: '/staff/' };

type Parts = Pick<Location, 'pathname' | 'search' | 'hash'>;

export function readAddress({ pathname, search, hash }: Parts): Address {
  const token = hash.slice(1);
  const handle = /^\/(?:visit|staff)\/([^/]+)\/?$/.exec(pathname)?.[1];
  return {
    token: token === '' ? undefined : token,
    handle: token === '' ? handle : undefined,
    room: new URLSearchParams(search).get('room') ?? undefined,
  };
}

export function pathOf(kind: JoinedKind, handle: string, room?: string): string {
  const query = room === undefined ? '' : `?${new URLSearchParams({ room }).toString()}`;
  return paths[kind] + handle + query;
}

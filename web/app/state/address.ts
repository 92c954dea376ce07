/** What the page's address says. The token is in the fragment, which never reaches a server. */
import type { JoinedKind } from '../../client/index';

export interface Address {
  token: string | undefined;
  handle: string | undefined;
}

const paths: Record<JoinedKind, string> = { seat: '/visit/', staff: '/staff/' };

export function readAddress({ pathname, hash }: Pick<Location, 'pathname' | 'hash'>): Address {
  const token = hash.slice(1);
  const handle = /^\/(?:visit|staff)\/([^/]+)\/?$/.exec(pathname)?.[1];
  return {
    token: token === '' ? undefined : token,
    handle: token === '' ? handle : undefined,
  };
}

export function pathOf(kind: JoinedKind, handle: string): string {
  return paths[kind] + handle;
}

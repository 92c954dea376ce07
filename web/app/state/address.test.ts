import { expect, test } from 'vitest';
import { pathOf, readAddress } from './address';

test('a link has its token in the fragment', () => {
  expect(readAddress({ pathname: '/join', search: '', hash: '#token' })).toEqual({
    token: 'token',
    handle: undefined,
    room: undefined,
  });
});

test('a token outranks the handle of somebody who was here before', () => {
  const address = readAddress({ pathname: '/staff/old', search: '', hash: '#token' });
  expect(address.handle).toBeUndefined();
});

test('a page finds its handle and its waiting room again after a refresh', () => {
  const path = pathOf('staff', 'osei', 'a&b');
  const { pathname, search } = new URL(path, 'https://clinic.test');
  expect(readAddress({ pathname, search, hash: '' })).toEqual({
    token: undefined,
    handle: 'osei',
    room: 'a&b',
  });
});

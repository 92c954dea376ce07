import { beforeEach, expect, test, vi } from 'vitest';
import { join } from './join';

const joined = { handle: 'h', kind: 'seat', rooms: [] };
const answer = (body: string, status = 200) => new Response(body, { status });

let fetched: ReturnType<typeof vi.fn<typeof fetch>>;

beforeEach(() => {
  fetched = vi.fn<typeof fetch>();
  vi.stubGlobal('fetch', fetched);
});

test('the cookie is for the page of a portal too', async () => {
  fetched.mockResolvedValue(answer(JSON.stringify(joined)));
  await expect(join('https://visits.clinic.test', 'token')).resolves.toEqual(joined);
  expect(fetched).toHaveBeenCalledWith(
    'https://visits.clinic.test/v1/join',
    expect.objectContaining({ credentials: 'include', body: '{"token":"token"}' }),
  );
});

test.each([
  [409, '{"code":"visit_over"}', 'visit_over', false],
  [429, '{"code":"too_many"}', 'too_many', true],
  [502, '<html>', 'internal', true],
  [200, 'half an ans', 'internal', true],
])('%i with %s is %s', async (status, body, code, retry) => {
  fetched.mockResolvedValue(answer(body, status));
  await expect(join('', 'token')).rejects.toMatchObject({ code, retry });
});

test('a server that is not reached is worth another try', async () => {
  fetched.mockRejectedValue(new TypeError('network'));
  await expect(join('', 'token')).rejects.toMatchObject({ code: 'offline', retry: true });
});

test('given up while the answer comes in', async () => {
  const giveUp = new AbortController();
  const response = answer('');
  vi.spyOn(response, 'json').mockImplementation(() => {
    giveUp.abort();
    return Promise.reject(new Error('aborted'));
  });
  fetched.mockResolvedValue(response);
  await expect(join('', 'token', giveUp.signal)).rejects.toMatchObject({ code: 'aborted' });
});

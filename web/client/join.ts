/** The exchange of a link's token for the cookie of its seat. */
import { VisitError, type JoinCode } from './errors';
import type { Joined } from './wire.gen';

const codes: ReadonlySet<string> = new Set<JoinCode>([
  'link_unknown',
  'link_revoked',
  'link_expired',
  'visit_over',
  'too_many',
]);

/** Rejects with a JoinCode, or with `offline` or `internal`, which may work again later. */
export async function join(origin: string, token: string, signal?: AbortSignal): Promise<Joined> {
  const response = await post(`${origin}/v1/join`, { token }, signal);
  const body = (await response.json().catch(() => undefined)) as unknown;
  if (signal?.aborted) throw givenUp(signal.reason);
  if (response.ok && body !== undefined) return body as Joined;
  throw problem(body);
}

function givenUp(cause: unknown): VisitError {
  return new VisitError('aborted', 'open was given up', { cause });
}

async function post(url: string, body: object, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      // The cookie is wanted by the page of a portal too, which is of another origin.
      credentials: 'include',
      ...(signal && { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw givenUp(cause);
    throw new VisitError('offline', 'the server was not reached', { cause, retry: true });
  }
}

/** RFC 9457, with our `code` in it. */
function problem(body: unknown): VisitError {
  const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
  return isJoinCode(code)
    ? new VisitError(code, 'the link was refused', { retry: code === 'too_many' })
    : new VisitError('internal', 'the server did not answer as agreed', { retry: true });
}

function isJoinCode(code: unknown): code is JoinCode {
  return typeof code === 'string' && codes.has(code);
}

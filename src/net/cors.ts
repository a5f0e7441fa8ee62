import type { IncomingMessage, ServerResponse } from 'node:http';

/** How a page may ask beside how every page may. */
const METHODS = 'GET, POST, PUT, PATCH, DELETE';

/** What a page may read beside what every page may: when to come again. */
const EXPOSED = 'Retry-After';

/** How long a browser need not ask again. */
const MAX_AGE_SECONDS = '600';

/**
 * Puts on an answer what lets pages of some origins read it, and answers their preflights. It has to be called before
 * anything else answers, since a page has to be able to read errors too.
 *
 * @returns whether the request was a preflight, which is answered now
 */
export type Cors = (request: IncomingMessage, response: ServerResponse) => boolean;

/** @param origins such as `https://example.com`; `*`: any. None: nothing is put on any answer. */
export function corsFor(origins: readonly string[]): Cors {
  if (origins.length === 0) return () => false;
  const isForAll = origins.includes('*');
  return (request, response) => {
    const { origin } = request.headers;
    // A cache must not hand what one origin got to another.
    if (!isForAll) response.appendHeader('Vary', 'Origin');
    if (origin === undefined || !(isForAll || origins.includes(origin))) return false;
    response.setHeader('Access-Control-Allow-Origin', isForAll ? '*' : origin);
    response.setHeader('Access-Control-Expose-Headers', EXPOSED);
    if (request.method !== 'OPTIONS' || !('access-control-request-method' in request.headers)) return false;
    response.setHeader('Access-Control-Allow-Methods', METHODS);
    // Clients have headers of their own (OpenAI's a dozen), and nothing that a page may ask hangs on which they are.
    const wanted = request.headers['access-control-request-headers'];
    if (wanted !== undefined) response.setHeader('Access-Control-Allow-Headers', wanted);
    response.setHeader('Access-Control-Max-Age', MAX_AGE_SECONDS);
    response.writeHead(204).end();
    return true;
  };
}

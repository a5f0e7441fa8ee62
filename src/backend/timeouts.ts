import type { RouteTimeouts } from './types.js';

/**
 * What the backends of this package allow their model server, so that none of them waits for ever for one that
 * hangs. Each is far beyond what an answer takes: an error that comes late is better than an answer that is cut.
 */

/** Text, token by token. Without streaming the first byte comes with the last token, in ten minutes some thousands. */
export const FOR_TEXT: RouteTimeouts = { firstByte: '10m', betweenBytes: '5m', total: '1h' };

/** Pictures and films. Nothing comes until all of it is drawn, and some take a quarter of an hour. */
export const FOR_PICTURES: RouteTimeouts = { firstByte: '30m', betweenBytes: '5m', total: '1h' };

/** What is computed in one go, such as embeddings. */
export const FOR_NUMBERS: RouteTimeouts = { firstByte: '5m', betweenBytes: '1m', total: '10m' };

/** What the server knows without its model. */
export const FOR_FACTS: RouteTimeouts = { firstByte: '30s', betweenBytes: '30s', total: '1m' };

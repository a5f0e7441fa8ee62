import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';

const pack = promisify(gzip);

/** Sends a body, packed where the client takes that: what is kept of a worker has megabytes, and who looks may be on a phone. */
export async function sendPacked(request: Request, response: Response, body: string | Buffer): Promise<void> {
  response.vary('Accept-Encoding');
  if (request.acceptsEncodings('gzip') === false) response.send(body);
  else response.set('Content-Encoding', 'gzip').send(await pack(body));
}

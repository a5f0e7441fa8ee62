import type { ServerResponse } from 'node:http';

/** Headers that are about one connection, and mean nothing on the next. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What pages may read of this server is not for the one behind it to say: some of them say that all may. */
const CORS = 'access-control-';

/**
 * Begins an answer with the status and the headers of another server's.
 *
 * @param headers names and values in turn
 */
export function relayHead(response: ServerResponse, status: number, headers: readonly string[]): void {
  writeHead(response, status, passedOn(headers));
}

/** Headers by their names, as names and values in turn: each of several values under its name again. */
export function inTurn(headers: Readonly<Record<string, string | readonly string[] | undefined>>): string[] {
  return Object.entries(headers).flatMap(([name, value = []]) =>
    [value].flat().flatMap((each) => [name, each]),
  );
}

/** Where other headers were set before, Node keeps but the last of several that `writeHead` is given under one name. */
function writeHead(response: ServerResponse, status: number, headers: string[]): void {
  if (response.getHeaderNames().length === 0) {
    response.writeHead(status, headers);
    return;
  }
  for (let index = 0; index + 1 < headers.length; index += 2) {
    response.appendHeader(headers[index] ?? '', headers[index + 1] ?? '');
  }
  response.writeHead(status);
}

/** Names and values in turn, without what is about the connection to the other server. */
function passedOn(headers: readonly string[]): string[] {
  const passed: string[] = [];
  let named: string[] | undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [name = '', value = ''] = [headers[index], headers[index + 1]];
    const lower = name.toLowerCase();
    if (lower === 'connection') named = [...(named ?? []), ...namesIn(value)];
    else if (!HOP_BY_HOP.has(lower) && !lower.startsWith(CORS)) passed.push(name, value);
  }
  return named === undefined ? passed : without(passed, named);
}

/** A `Connection` header names others that are about the connection, wherever they stand. */
function namesIn(value: string): string[] {
  return value.split(',').map((each) => each.trim().toLowerCase());
}

function without(headers: readonly string[], names: readonly string[]): string[] {
  return headers.filter((_, index) => !names.includes((headers[index - (index % 2)] ?? '').toLowerCase()));
}

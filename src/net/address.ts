/** An address to connect to, as it stands in a URL, where the one to listen on may stand for all. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** A path on a base address, which may end with a slash. */
export function pathOn(address: string, path: string): string {
  return address.replace(/\/+$/, '') + path;
}

// Loaded before the worker: names are looked up in the file RESOLVER_HOSTS, a line each with the name and either
// its address or the code of the error that the lookup ends with. The lookup of a name that is not there never ends.
import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

const { lookup } = dns;

dns.lookup = (name, options, callback) => {
  if (isIP(name) > 0) return lookup(name, options, callback);
  const lines = readFileSync(process.env.RESOLVER_HOSTS, 'utf8').split('\n');
  const [, found] = lines.map((line) => line.split(' ')).find(([known]) => known === name) ?? [];
  if (found === undefined) return;
  const error = Object.assign(new Error(`getaddrinfo ${found} ${name}`), {
    code: found,
    syscall: 'getaddrinfo',
    hostname: name,
  });
  const answer = options.all ? [[{ address: found, family: 4 }]] : [found, 4];
  process.nextTick(callback, ...(isIP(found) > 0 ? [null, ...answer] : [error]));
};

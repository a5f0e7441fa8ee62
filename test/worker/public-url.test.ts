import { expect, it } from 'vitest';
import { publicUrl } from '../../src/public-url.js';
import { configOf, type Env } from '../support/worker.js';

it.each<[name: string, env: Env, url: string | undefined]>([
  ['nothing is known', {}, undefined],
  ['only the port', { WORKER_PORT: '3000', VAST_TCP_PORT_3000: '40000' }, undefined],
  ['only the address', { WORKER_PORT: '3000', PUBLIC_IPADDR: '1.2.3.4' }, undefined],
  [
    'both',
    { WORKER_PORT: '3000', PUBLIC_IPADDR: '1.2.3.4', VAST_TCP_PORT_3000: '40000' },
    'http://1.2.3.4:40000',
  ],
  [
    'the port of another',
    { WORKER_PORT: '3000', PUBLIC_IPADDR: '1.2.3.4', VAST_TCP_PORT_3001: '40000' },
    undefined,
  ],
  [
    'TLS',
    { WORKER_PORT: '3000', PUBLIC_IPADDR: '1.2.3.4', VAST_TCP_PORT_3000: '40000', USE_SSL: 'true' },
    'https://1.2.3.4:40000',
  ],
  [
    'an address of six',
    { WORKER_PORT: '3000', PUBLIC_IPADDR: '2001:db8::1', VAST_TCP_PORT_3000: '40000' },
    'http://[2001:db8::1]:40000',
  ],
  ['a port that was free', { WORKER_PORT: '0', PUBLIC_IPADDR: '127.0.0.1' }, 'http://127.0.0.1:5555'],
])('where %s', (_name, env, url) => {
  expect(publicUrl(configOf(env), 5555)).toBe(url);
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { answersIn, RawClient } from '../support/client.js';
import { leftBehindBy } from '../support/resources.js';
import { makeWorker, serve } from '../support/worker.js';

let folder = '';
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsworker-tls-'));
  for (const name of ['one', 'other']) {
    const output = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)];
    const subject = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...key, ...output, ...subject], { stdio: 'ignore' });
  }
  writeFileSync(file('nonsense'), 'no PEM at all');
  return () => rmSync(folder, { recursive: true });
});

function tls(certificate = 'one.crt', key = 'one.key') {
  return { USE_SSL: 'true', TSWORKER_TLS_CERT: file(certificate), TSWORKER_TLS_KEY: file(key) };
}

describe('with USE_SSL', () => {
  it('clients are served over TLS', async () => {
    const { port } = await serve(undefined, tls());
    const body = await new Promise((resolve, reject) => {
      const ca = readFileSync(file('one.crt'));
      get({ host: '127.0.0.1', port, path: '/value', ca, agent: false }, (response) =>
        resolve(text(response)),
      ).on('error', reject);
    });
    expect(body).toBe('{"value":0}');
  });

  it('the internal port stays plain', async () => {
    const { internalPort } = await serve(undefined, tls());
    const client = new RawClient(internalPort).write('GET /status HTTP/1.0\r\n\r\n');
    expect(answersIn(await client.untilEnd())).toMatchObject([{ status: 200, body: { state: 'serving' } }]);
  });

  it('a client that speaks no TLS is let go, and one that says nothing does not hold up a stop', async () => {
    const left = await leftBehindBy(async () => {
      const { worker, log } = makeWorker(undefined, tls());
      const { port } = await worker.start();
      const plain = new RawClient(port).write('GET /value HTTP/1.1\r\nHost: w\r\n\r\n');
      const silent = new RawClient(port);
      await plain.untilEnd();
      expect(await worker.stop('the test says so')).toBe('clean');
      await silent.untilEnd();
      for (const client of [plain, silent]) client.socket.destroy();
      await Promise.all([plain.closed, silent.closed]);
      expect(log.about('request.refused')).toEqual([]);
    });
    expect(left).toEqual({});
  });

  it('a client that begins no handshake is let go after the time for headers', async () => {
    const { port } = await serve(undefined, { ...tls(), TSWORKER_HEADERS_TIMEOUT: '50ms' });
    expect(await new RawClient(port).untilEnd()).toBe('');
  });

  it.each<[name: string, certificate: string, key: string, reason: RegExp]>([
    [
      'a missing certificate',
      'missing.crt',
      'one.key',
      /ENOENT: no such file or directory, open '.*missing\.crt'/,
    ],
    ['a missing key', 'one.crt', 'missing.key', /ENOENT: no such file or directory, open '.*missing\.key'/],
    ['a certificate that is none', 'nonsense', 'one.key', /PEM/],
    ['a key that is none', 'one.crt', 'nonsense', /DECODER|PEM/],
    ['the key of another certificate', 'one.crt', 'other.key', /key values mismatch/],
  ])('%s is said clearly, and nothing listens', async (_name, certificate, key, reason) => {
    const left = await leftBehindBy(async () => {
      const { worker, states } = makeWorker(undefined, tls(certificate, key));
      const error = await worker.start().catch((thrown: Error) => thrown);
      expect(error).toBeInstanceOf(Error);
      const { message } = error as Error;
      expect(message).toMatch(/^USE_SSL is true, but the certificate can not be used: /);
      expect(message).toMatch(reason);
      expect(
        message.endsWith(
          `Looked at ${file(certificate)} and ${file(key)}; TSWORKER_TLS_CERT and TSWORKER_TLS_KEY name other files.`,
        ),
      ).toBe(true);
      expect(states).toEqual([]);
    });
    expect(left).toEqual({});
  });
});

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningWorker, serve } from '../support/worker.js';

let folder = '';
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsworker-renewal-'));
  for (const name of ['one', 'other']) {
    const output = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)];
    const subject = ['-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...key, ...output, ...subject], { stdio: 'ignore' });
  }
  return () => rmSync(folder, { recursive: true });
});

beforeEach(() => install('one'));

function install(name: string): void {
  copyFileSync(file(`${name}.crt`), file('instance.crt'));
  copyFileSync(file(`${name}.key`), file('instance.key'));
}

function serveWithTls() {
  return serve(undefined, {
    USE_SSL: 'true',
    TSWORKER_TLS_CERT: file('instance.crt'),
    TSWORKER_TLS_KEY: file('instance.key'),
    TSWORKER_TLS_CHECK_INTERVAL: '20ms',
  });
}

/** The name in the certificate that a new connection is shown. */
function shownBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const ca = ['one', 'other'].map((name) => readFileSync(file(`${name}.crt`)));
    const socket = connect({ host: '127.0.0.1', port, ca }, () => {
      const { raw } = socket.getPeerCertificate();
      resolve(new X509Certificate(raw).subject);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

async function untilLogged({ log }: RunningWorker, event: string): Promise<void> {
  while (log.about(event).length === 0) await new Promise((resolve) => setImmediate(resolve));
}

describe('a certificate that is renewed', () => {
  it('is picked up: new connections are shown it, without a restart', async () => {
    const worker = await serveWithTls();
    expect(await shownBy(worker.port)).toBe('CN=one');
    install('other');
    await untilLogged(worker, 'tls.renewed');
    expect(await shownBy(worker.port)).toBe('CN=other');
    expect(worker.log.about('tls.renewed')).toHaveLength(1);
  });

  it('and is broken leaves the old one in use, is told once, and is picked up when it is mended', async () => {
    const worker = await serveWithTls();
    writeFileSync(file('instance.crt'), 'no certificate at all');
    await untilLogged(worker, 'tls.unusable');
    expect(await shownBy(worker.port)).toBe('CN=one');
    install('other');
    await untilLogged(worker, 'tls.renewed');
    expect(await shownBy(worker.port)).toBe('CN=other');
    expect(worker.log.about('tls.unusable').length).toBeLessThanOrEqual(2);
  });

  it('of which one file alone has come is not used until the other is there', async () => {
    const worker = await serveWithTls();
    copyFileSync(file('other.crt'), file('instance.crt'));
    await untilLogged(worker, 'tls.unusable');
    expect(await shownBy(worker.port)).toBe('CN=one');
    copyFileSync(file('other.key'), file('instance.key'));
    await untilLogged(worker, 'tls.renewed');
    expect(await shownBy(worker.port)).toBe('CN=other');
  });
});

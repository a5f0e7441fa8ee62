import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** What openssl wants to know before it gives a certificate dates of one's choice. */
const AUTHORITY = `
[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
`;

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A certificate and its key in a folder, signed by itself, that is valid from one time to another, in Unix ms. */
export function makeCertificate(
  folder: string,
  name: string,
  fromMs: number,
  toMs: number,
): CertificateFiles {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const [cert, key, request] = [`${name}.crt`, `${name}.key`, `${name}.csr`];
  const dates = ['-startdate', timeOf(fromMs), '-enddate', timeOf(toMs)];
  const config = ['-config', 'openssl.cnf'];
  writeFileSync(join(folder, 'openssl.cnf'), AUTHORITY);
  writeFileSync(join(folder, 'index'), '');
  openssl('req', '-new', ...config, ...KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
  openssl('ca', '-batch', '-selfsign', ...config, ...dates, '-keyfile', key, '-in', request, '-out', cert);
  return { cert: join(folder, cert), key: join(folder, key) };
}

/** As ASN.1 writes it, such as 20300102030405Z. */
function timeOf(ms: number): string {
  return `${new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/\D/g, '')}Z`;
}

import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Config } from '../config/index.js';
import { messageOf } from '../errors.js';

export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** @throws when the files can't be read, or are no certificate and its key, with what to do */
export async function readTls({ tlsCertificate, tlsKey }: Config): Promise<Tls> {
  try {
    const tls = { cert: await readFile(tlsCertificate), key: await readFile(tlsKey) };
    // Throws when the two are no certificate and its key.
    createSecureContext(tls);
    return tls;
  } catch (cause) {
    throw new Error(
      `USE_SSL is true, but the certificate can not be used: ${messageOf(cause)}. Looked at ` +
        `${tlsCertificate} and ${tlsKey}; TSWORKER_TLS_CERT and TSWORKER_TLS_KEY name other files.`,
      { cause },
    );
  }
}

export interface TlsWatch {
  readonly config: Config;
  readonly current: Tls;
  readonly everyMs: number;
  /** Hears of a certificate that has changed and can be used. */
  readonly onRenewed: (tls: Tls) => void;
  /** Hears why one that has changed can't be used, once for each reason. The old one stays in use. */
  readonly onProblem: (problem: string) => void;
}

/** Looks now and then whether the certificate was renewed, until the returned function is called. */
export function watchTls({ config, current, everyMs, onRenewed, onProblem }: TlsWatch): () => void {
  let inUse = current;
  let lastProblem = '';
  let hasEnded = false;
  const look = async () => {
    try {
      const read = await readTls(config);
      if (hasEnded) return;
      lastProblem = '';
      if (read.cert.equals(inUse.cert) && read.key.equals(inUse.key)) return;
      inUse = read;
      onRenewed(read);
    } catch (error) {
      // A renewal replaces two files one after the other: what does not fit now may fit the next time.
      const problem = messageOf(error);
      if (problem !== lastProblem && !hasEnded) onProblem(problem);
      lastProblem = problem;
    }
  };
  const timer = setInterval(() => void look(), everyMs).unref();
  return () => {
    hasEnded = true;
    clearInterval(timer);
  };
}

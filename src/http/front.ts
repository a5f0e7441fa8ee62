import { readFile } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import { createSecureContext } from 'node:tls';
import type { Config } from '../config/index.js';
import { messageOf, type WorkerError } from '../errors.js';
import { close, createHttpServer, listen } from '../net/server.js';
import type { Ports } from './ports.js';

export interface Listeners {
  readonly clients: RequestListener;
  readonly operator: RequestListener;
  /** Hears of what a client sent that is no request at all, and what it was told. */
  readonly onRefused?: (error: WorkerError) => void;
}

/** The worker's two doors: one for clients, and one on loopback for its operator. */
export class Front {
  readonly #config: Config;
  readonly #listeners: Listeners;
  #servers: Server[] = [];

  constructor(config: Config, listeners: Listeners) {
    this.#config = config;
    this.#listeners = listeners;
  }

  /**
   * Opens both doors, or none.
   *
   * @throws when a port is taken, or the certificate can't be read
   */
  async open(): Promise<Ports> {
    const { host, workerPort, internalPort = followingPort(workerPort) } = this.#config;
    const tls = this.#config.useTls ? await readTls(this.#config) : undefined;
    try {
      const port = await this.#listen(this.#listeners.clients, workerPort, host, tls);
      return { port, internalPort: await this.#listen(this.#listeners.operator, internalPort, '127.0.0.1') };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Lets go of connections on which nothing happens. */
  closeIdleConnections(): void {
    for (const server of this.#servers) server.closeIdleConnections();
  }

  /** Cuts every connection and stops listening. */
  async close(): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    await Promise.all(servers.map(close));
  }

  async #listen(listener: RequestListener, port: number, host: string, tls?: Tls): Promise<number> {
    const { headersTimeoutMs, requestTimeoutMs } = this.#config;
    const { onRefused = () => {} } = this.#listeners;
    const timeouts = { headersTimeoutMs, requestTimeoutMs };
    const server = createHttpServer({ listener, onRefused, ...timeouts, ...(tls && { tls }) });
    const listening = await listen(server, port, host);
    this.#servers.push(server);
    return listening;
  }
}

interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

async function readTls({ tlsCertificate, tlsKey }: Config): Promise<Tls> {
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

function followingPort(port: number): number {
  return port === 0 || port === 65_535 ? 0 : port + 1;
}

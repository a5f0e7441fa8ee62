import type { RequestListener, Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { Config } from '../config/index.js';
import type { WorkerError } from '../errors.js';
import type { Log } from '../log.js';
import { followingPort } from '../net/following-port.js';
import { close, createHttpServer, listen } from '../net/server.js';
import type { Ports } from './ports.js';
import { readTls, type Tls, watchTls } from './tls.js';

export interface Listeners {
  readonly clients: RequestListener;
  readonly operator: RequestListener;
  /** Hears of what a client sent that is no request at all, and what it was told. */
  readonly onRefused?: (error: WorkerError) => void;
  /** How many connections clients may have; Infinity, if left out. */
  readonly maxConnections?: number;
  /** Hears of each connection that was one too many, and was closed. */
  readonly onCrowded?: () => void;
  readonly log: Log;
}

/** The worker's two doors: one for clients, and one for its operator, which is on loopback unless it has a lock. */
export class Front {
  readonly #config: Config;
  readonly #listeners: Listeners;
  #servers: Server[] = [];
  #unwatch = () => {};

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
    const { host, workerPort, internalHost, internalPort = followingPort(workerPort) } = this.#config;
    const tls = this.#config.useTls ? await readTls(this.#config) : undefined;
    try {
      const port = await this.#listen(this.#listeners.clients, workerPort, host, tls);
      this.#limitConnections();
      if (tls !== undefined) this.#watchCertificate(tls);
      const operator = await this.#listen(this.#listeners.operator, internalPort, internalHost);
      return { port, internalPort: operator };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Lets go of connections on which nothing happens. */
  closeIdleConnections(): void {
    for (const server of this.#servers) server.closeIdleConnections();
  }

  /** Hears no more clients, and lets go of each connection as it falls idle. The operator's door stays open. */
  closeToClients(): void {
    const [clients] = this.#servers;
    clients?.close();
  }

  /** Cuts every connection and stops listening. */
  async close(): Promise<void> {
    this.#unwatch();
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

  #limitConnections(): void {
    const [server] = this.#servers;
    if (server === undefined) return;
    const { maxConnections = Number.POSITIVE_INFINITY, onCrowded = () => {} } = this.#listeners;
    server.maxConnections = maxConnections;
    server.on('drop', onCrowded);
  }

  /** A renewed certificate holds for the connections that are made from then on. */
  #watchCertificate(current: Tls): void {
    const { log } = this.#listeners;
    const [server] = this.#servers;
    this.#unwatch = watchTls({
      config: this.#config,
      current,
      everyMs: this.#config.tlsCheckMs,
      onRenewed: (tls) => {
        if (server instanceof TlsServer) server.setSecureContext(tls);
        log.info('the certificate was renewed', { event: 'tls.renewed' });
      },
      onProblem: (problem) => {
        log.warn(`the renewed certificate is not used: ${problem}`, { event: 'tls.unusable', problem });
      },
    });
  }
}

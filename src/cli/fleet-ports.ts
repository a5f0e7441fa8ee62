import type { Config } from '../config/index.js';
import { followingPort } from '../net/following-port.js';
import { freePort } from './free-port.js';
import type { WorkerPorts } from './worker-processes.js';

const LOOPBACK = '127.0.0.1';

type Asked = Pick<Config, 'host' | 'internalHost' | 'workerPort' | 'internalPort'>;

/** Ports for workers, from the one that was asked for on, none of them twice. */
export class FleetPorts {
  readonly #asked: Asked;
  readonly #runsModel: boolean;
  readonly #taken = new Set<number>();
  /** One after the other: two would find the same port free. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param runsModel each worker runs a model server, which needs a port too */
  constructor(asked: Asked, runsModel: boolean) {
    this.#asked = asked;
    this.#runsModel = runsModel;
  }

  take(): Promise<WorkerPorts> {
    const taken = this.#turn.then(() => this.#takeNow());
    this.#turn = taken.catch(() => {});
    return taken;
  }

  release({ port, internalPort, modelPort }: WorkerPorts): void {
    for (const each of [port, internalPort, modelPort]) if (each !== undefined) this.#taken.delete(each);
  }

  async #takeNow(): Promise<WorkerPorts> {
    const { host, internalHost, workerPort, internalPort } = this.#asked;
    const port = await this.#free(host, workerPort);
    const internal = await this.#free(
      internalHost,
      internalPort ?? (workerPort === 0 ? 0 : followingPort(port)),
    );
    const model = this.#runsModel ? await this.#free(LOOPBACK, 0) : undefined;
    return { port, internalPort: internal, modelPort: model };
  }

  async #free(host: string, from: number): Promise<number> {
    const port = await freePort(host, from, [...this.#taken]);
    this.#taken.add(port);
    return port;
  }
}

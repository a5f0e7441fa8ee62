import { request } from 'undici';
import type { DecisionsView } from '../../src/autoscaler/index.js';
import { descendantsOf } from './descendants.js';
import { type LogLine, Program } from './process.js';

/** What clients authorise with. */
export const API_KEY = 'key-of-the-tests';

export interface FleetSetup {
  /** The program `tsworker`, as it is run: from the sources, or built. */
  readonly program: readonly string[];
  /** The name of a backend, or the path of its file from the root of the repository. */
  readonly backend: string;
  /** Of the command line. */
  readonly options: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** `tsworker dev` that starts and stops workers, on free ports of loopback. */
export class FleetProcess {
  readonly program: Program;

  constructor({ program, backend, options, env = {} }: FleetSetup) {
    const ports = ['--port', '0', '--internal-port', '0', '--autoscaler-port', '0'];
    const [command = '', ...args] = [...program, 'dev', backend, ...ports, ...options];
    this.program = new Program(command, args, {
      env: {
        TSWORKER_API_KEY: API_KEY,
        TSWORKER_REPORT_INTERVAL: '2s',
        ...env,
      },
    });
  }

  get log(): readonly LogLine[] {
    return this.program.lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** The first line that matches, of those logged and those to come. */
  logged(matches: (line: LogLine) => boolean, patienceMs?: number): Promise<LogLine> {
    return this.program.find(`a line with ${matches}`, () => this.log.find(matches), patienceMs);
  }

  /** Where its autoscaler listens, once it does. */
  async url(): Promise<string> {
    const { autoscalerUrl } = await this.logged(({ event }) => event === 'listening');
    return String(autoscalerUrl);
  }

  async decisions(): Promise<DecisionsView> {
    const { body } = await request(`${await this.url()}/api/decisions`, { reset: true });
    return (await body.json()) as DecisionsView;
  }

  /** How a worker goes on: resolves when its phase has become this. */
  reaches(worker: number, phase: string | null): Promise<LogLine> {
    return this.logged(
      ({ event, worker: of, to }) => event === 'fleet.phase' && of === worker && to === phase,
      60_000,
    );
  }

  /** The processes of its workers, and theirs. */
  processes(): number[] {
    return descendantsOf(this.program.pid);
  }
}

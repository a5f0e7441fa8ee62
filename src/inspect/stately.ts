import type { AnyActor, AnyMachineSnapshot, InspectionEvent } from 'xstate';
import { messageOf } from '../errors.js';
import type { Log } from '../log.js';
import type { Redact } from '../redact.js';
import { copyOf } from './copy.js';
import { LineFile } from './line-file.js';

/** The version of `@statelyai/inspect` whose events these are. */
const VERSION = '0.7.2';

const CHARACTERS = 256 * 1024;

export interface StatelySinkOptions {
  /** `-` is the standard output. */
  readonly path: string;
  readonly redact: Redact;
  readonly log: Pick<Log, 'warn'>;
}

/** Writes what Stately's inspector is told, a line each. */
export class StatelySink {
  readonly #options: StatelySinkOptions;
  readonly #file: LineFile;
  readonly #tell: (event: InspectionEvent) => void;
  #isProblemTold = false;

  constructor(options: StatelySinkOptions) {
    const { path, redact } = options;
    this.#options = options;
    this.#file = new LineFile({ path, onProblem: (error) => this.#tellProblem(messageOf(error)) });
    this.#tell = statelyEvents(redact, (line) => {
      if (!this.#file.write(line)) this.#tellProblem('it is taken too slowly, so that events are left out');
    });
  }

  /** Never throws: who is told must not stop what is told of. */
  inspect(event: InspectionEvent): void {
    try {
      this.#tell(event);
    } catch (error) {
      this.#tellProblem(messageOf(error));
    }
  }

  /** Resolves when all is written, or is told to be lost. */
  async close(): Promise<void> {
    await this.#file.close();
    const { lost } = this.#file;
    if (lost > 0) this.#warn(`Stately's inspector was not told of ${lost} events`);
  }

  /** The first of them. */
  #tellProblem(problem: string): void {
    if (this.#isProblemTold) return;
    this.#isProblemTold = true;
    const to = `${this.#options.path}, which TSWORKER_INSPECT or --inspect names`;
    this.#warn(`what is told to Stately's inspector can not be written to ${to}: ${problem}`);
  }

  #warn(message: string): void {
    const { log, path } = this.#options;
    log.warn(message, { event: 'inspect.problem', file: path });
  }
}

/**
 * What Stately's inspector is told of a system of actors: `@xstate.actor`, `@xstate.event` and `@xstate.snapshot`,
 * each as one line of JSON, without secrets.
 */
export function statelyEvents(
  redact: Redact,
  write: (line: string) => void,
): (event: InspectionEvent) => void {
  const copy = (value: unknown) => copyOf(value, { redact, characters: CHARACTERS });
  let count = 0;
  return (event) => {
    const actor = event.actorRef as AnyActor;
    const told = toldOf(event, actor, copy);
    if (told === null) return;
    const common = {
      _version: VERSION,
      type: event.type,
      sessionId: actor.sessionId,
      rootId: event.rootId,
      createdAt: String(Date.now()),
      id: String(++count),
    };
    write(JSON.stringify({ ...common, ...told }));
  };
}

function toldOf(event: InspectionEvent, actor: AnyActor, copy: (value: unknown) => unknown): object | null {
  switch (event.type) {
    case '@xstate.actor':
      return {
        name: nameOf(actor),
        parentId: actor._parent?.sessionId,
        definition: definitionOf(actor),
        // It has none yet.
        snapshot: { status: 'active' },
      };
    case '@xstate.event':
      return { event: copy(event.event), sourceId: event.sourceRef?.sessionId };
    case '@xstate.snapshot':
      return { event: copy(event.event), snapshot: snapshotOf(event.snapshot, copy) };
    default:
      return null;
  }
}

/** The root has a number for an id. */
function nameOf({ id, sessionId, logic }: AnyActor): string {
  return id === sessionId && 'id' in logic ? String(logic.id) : id;
}

function definitionOf({ id, logic }: AnyActor): string {
  const config: unknown = 'config' in logic ? logic.config : { id };
  return JSON.stringify(config, (_name, value: unknown) =>
    typeof value === 'function' ? { type: value.name } : value,
  );
}

function snapshotOf(snapshot: unknown, copy: (value: unknown) => unknown): unknown {
  if (typeof snapshot !== 'object' || snapshot === null) return { status: 'active' };
  const { status, value, context, output, error } = snapshot as Partial<AnyMachineSnapshot>;
  return copy({ status, value, context, output, error });
}

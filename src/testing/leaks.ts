import { AssertionError } from 'node:assert';
import { createHook, executionAsyncId } from 'node:async_hooks';
import { dirname, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { ActorRefLike, AnyActorLogic, InspectionEvent } from 'xstate';

/** Something that was made since the check began, and is still there. */
export interface Leak {
  /** `timer`, `socket`, `server`, `child process`, …, an `actor`, a listener of the process, or a warning. */
  readonly kind: string;
  /** Where it was made, or what it is. */
  readonly at: string;
}

/** What keeps a process alive, by the names that Node has for it. TLS stands above a socket that counts already. */
const KINDS: Readonly<Record<string, string>> = {
  Timeout: 'timer',
  TCPWRAP: 'socket',
  PIPEWRAP: 'pipe',
  UDPWRAP: 'socket',
  TCPSERVERWRAP: 'server',
  PIPESERVERWRAP: 'server',
  PROCESSWRAP: 'child process',
  FSEVENTWRAP: 'watched file',
  STATWATCHER: 'watched file',
  WORKER: 'thread',
};

/** Test runners make and drop timers and pipes as they like. */
const OF_A_RUNNER = /node_modules\/(?:@?vitest|tinypool|birpc|tinyexec)|node:internal\/test_runner/;

const EVENTS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'unhandledRejection', 'exit'];

const THIS_FILE = fileURLToPath(import.meta.url);

/** The code of this package, whose callers want to know the line of theirs. */
const THIS_PACKAGE = dirname(dirname(THIS_FILE));

/** What goes at an end is given this many turns of the event loop for it. */
const TURNS = 100;

/**
 * Sees what is made from now on and is still there in the end: timers, sockets, servers, child processes,
 * listeners of the process, warnings, and actors where it is given to them as `inspect`. One check at a time.
 *
 * @example
 * await using leaks = leakCheck();
 * await using worker = await startTestWorker(backend);
 */
export function leakCheck(): LeakCheck {
  return new LeakCheck();
}

interface Handle {
  readonly kind: string;
  readonly at: string;
  /** Weak, so that what is dropped can be collected. */
  readonly resource: WeakRef<object>;
}

export class LeakCheck {
  readonly #handles = new Map<number, Handle>();
  /** Where each thing was asked for that Node does in a moment, such as making a server. */
  readonly #ticks = new Map<number, Error>();
  readonly #actors = new Map<string, ActorRefLike>();
  readonly #warnings: Leak[] = [];
  readonly #listeners = EVENTS.map((event) => process.listenerCount(event));
  readonly #hook = createHook({
    init: (id, type, triggerId, resource) => this.#made(id, type, triggerId, resource),
    destroy: (id) => {
      this.#handles.delete(id);
      this.#ticks.delete(id);
    },
  });
  readonly #warn = ({ name, message }: Error) => void this.#warnings.push({ kind: name, at: message });

  constructor() {
    this.#hook.enable();
    process.on('warning', this.#warn);
  }

  /** For `createActor`: notes it and its children. */
  readonly inspect = (inspected: InspectionEvent): void => {
    if (inspected.type === '@xstate.actor')
      this.#actors.set(inspected.actorRef.sessionId, inspected.actorRef);
  };

  /** What is still there, once what goes has had the time for it. */
  async found(): Promise<Leak[]> {
    for (let turns = 0; turns < TURNS && this.#now().length > 0; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    return this.#now();
  }

  /** Ends the check. @throws {AssertionError} that names what is still there */
  async expectNone(): Promise<void> {
    const leaks = await this.found();
    this.end();
    if (leaks.length === 0) return;
    const lines = leaks.map(({ kind, at }) => `  ${kind}: ${at}`);
    throw new AssertionError({
      message: [`${leaks.length} left behind:`, ...lines].join('\n'),
      actual: leaks,
      expected: [],
      stackStartFn: this.expectNone,
    });
  }

  /** Looks no more. */
  end(): void {
    this.#hook.disable();
    process.off('warning', this.#warn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.expectNone();
  }

  #made(id: number, type: string, triggerId: number, resource: object): void {
    if (type === 'TickObject') this.#ticks.set(id, traced());
    const kind = KINDS[type];
    if (kind === undefined) return;
    const { at, isOfARunner } = placeIn(traced()) ?? this.#placeOf(triggerId) ?? NODE_ITSELF;
    if (!isOfARunner) this.#handles.set(id, { kind, at, resource: new WeakRef(resource) });
  }

  /** Of what Node makes: a server when its turn has come, a connection because a server has taken it. */
  #placeOf(triggerId: number): Place | undefined {
    const tick = this.#ticks.get(executionAsyncId());
    if (tick !== undefined) return placeIn(tick);
    const server = this.#handles.get(triggerId);
    return server && { at: server.at, isOfARunner: false };
  }

  #now(): Leak[] {
    const handles = [...this.#handles.values()].filter(({ resource }) => keepsAlive(resource.deref()));
    const actors = [...this.#actors.values()].filter((actor) => actor.getSnapshot()?.status === 'active');
    return [
      ...handles.map(({ kind, at }) => ({ kind, at })),
      ...actors.map((actor) => ({ kind: 'actor', at: nameOf(actor) })),
      ...EVENTS.flatMap((event, index) => {
        const more = process.listenerCount(event) - (this.#listeners[index] ?? 0);
        return more > 0 ? [{ kind: 'listener of the process', at: `${more} of ${event}` }] : [];
      }),
      ...this.#warnings,
    ];
  }
}

/** A root actor that was given no id has a number for one; its machine says more. */
function nameOf(
  actor: ActorRefLike & { readonly id?: string; readonly logic?: AnyActorLogic & { readonly id?: string } },
): string {
  const { id, sessionId, logic } = actor;
  return id !== undefined && id !== sessionId ? id : (logic?.id ?? sessionId);
}

/** What was collected or does not hold up the end of the process is no leak. */
function keepsAlive(resource: object | undefined): boolean {
  if (resource === undefined) return false;
  const { hasRef } = resource as { hasRef?: () => boolean };
  return hasRef === undefined || hasRef.call(resource);
}

interface Place {
  readonly at: string;
  readonly isOfARunner: boolean;
}

const NODE_ITSELF: Place = { at: 'Node itself', isOfARunner: false };

/** Its stack becomes text only when somebody asks for it. */
function traced(): Error {
  const limit = Error.stackTraceLimit;
  // Most of a stack is of Node.
  Error.stackTraceLimit = 50;
  const error = new Error();
  Error.stackTraceLimit = limit;
  return error;
}

/** What no file of a project has in a stack: Node, what is built in, and what waits for several promises. */
const NO_PLACE = /node:|\(<anonymous>\)$|\(index \d+\)$/;

/** The first place outside Node and all packages, or else the first in a package. */
function placeIn({ stack = '' }: Error): Place | undefined {
  const lines = stack.split('\n').slice(1);
  const inner = lines.find((line) => line.includes('node:') && OF_A_RUNNER.test(line));
  const places = lines.filter((line) => !NO_PLACE.test(line) && !line.includes(THIS_FILE));
  const [first = inner] = places;
  if (first === undefined) return undefined;
  const at =
    places.find((line) => !line.includes('node_modules') && !line.includes(THIS_PACKAGE + sep)) ?? first;
  return { at: at.trim().replace(/^at /, ''), isOfARunner: OF_A_RUNNER.test(first) };
}

import { type Actor, waitFor } from 'xstate';
import type { lifecycleMachine } from '../machines/lifecycle.js';
import type { ReporterEvent } from '../machines/reporter.js';
import type { Bus } from './bus.js';
import type { Log } from './log.js';

export type Lifecycle = Actor<typeof lifecycleMachine>;

/** The machine invokes these children when it is made, so they are there from the beginning. */
export function childOf<Name extends 'metrics' | 'reporter' | 'completions' | 'publicKey'>(
  lifecycle: Lifecycle,
  name: Name,
) {
  const child = lifecycle.getSnapshot().children[name];
  if (child === undefined) throw new Error(`The lifecycle has no ${name}.`);
  return child;
}

/** Puts on the bus what the actors of a lifecycle say, as long as they live. */
export function putOnBus(lifecycle: Lifecycle, bus: Bus): void {
  childOf(lifecycle, 'reporter').on('*', (event) => bus.emit('report', event));
  childOf(lifecycle, 'completions').on('*', (event) => bus.emit('completions', event));
  childOf(lifecycle, 'publicKey').on('*', (event) => bus.emit('key', event));
  // The actors that look after the model come and go: each is listened to from when it is there.
  const heard = new WeakSet<object>();
  const isNew = (actor: object) => !heard.has(actor) && heard.add(actor) !== undefined;
  lifecycle.subscribe(({ children: { load, health, reload, supervisor } }) => {
    if (load !== undefined && isNew(load)) load.on('*', (event) => bus.emit('model', event));
    if (health !== undefined && isNew(health)) health.on('*', (event) => bus.emit('model', event));
    if (reload !== undefined && isNew(reload)) reload.on('*', (event) => bus.emit('model', event));
    if (supervisor !== undefined && isNew(supervisor))
      supervisor.on('*', (event) => bus.emit('model', event));
  });
}

/** Tells the reporter, as long as there is one. */
export function tellReporter(lifecycle: Lifecycle, event: ReporterEvent): void {
  const { children, status } = lifecycle.getSnapshot();
  if (status === 'active') children.reporter?.send(event);
}

/** Has the model server asked whether it is well, if it is watched: a request could not connect to it. */
export function wantProbe(lifecycle: Lifecycle): void {
  const { status, children } = lifecycle.getSnapshot();
  if (status === 'active') children.health?.send({ type: 'probe.wanted' });
}

/** Whether the worker runs the model server, and no process of it runs at this moment. */
export function isModelDown(lifecycle: Lifecycle): boolean {
  return lifecycle.getSnapshot().matches({ server: { supervised: 'down' } });
}

/** Ends the model server, if the worker runs it. Resolves when nothing of it is left, or can be done about it. */
export async function endModel(lifecycle: Lifecycle, log: Log): Promise<void> {
  const { supervisor } = lifecycle.getSnapshot().children;
  if (supervisor === undefined) return;
  supervisor.send({ type: 'stop' });
  // Where nothing runs there is nothing to wait for.
  if (supervisor.getSnapshot().status !== 'active') return;
  log.info('waiting for the model server to end', { event: 'model.ending' });
  // One that has a fault of its own is not waited for: what it runs is killed when it is let go of.
  await waitFor(supervisor, ({ status }) => status !== 'active').catch(() => {});
}

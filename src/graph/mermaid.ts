import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { eventInWords, ownTransitions, type TransitionView, transitionsOf } from './transitions.js';

/**
 * Draws a machine as a mermaid state diagram, from its code. What a parent state handles is drawn at
 * each of its children, and a transition out of a nested state starts at the edge of its parent,
 * because mermaid has no arrows that cross the border of a state. A region of a parallel state is a state
 * in it like any other: with dividers between them mermaid fails to lay out regions that nest.
 */
export function toMermaid(machine: AnyStateMachine): string {
  const { root } = machine;
  const body = root.type === 'parallel' ? composite(root, 1) : inside(root, 1);
  const arrows = transitionsOf(machine)
    .filter(({ target }) => target !== undefined)
    .flatMap(drawn);
  return `${['stateDiagram-v2', ...body, ...linesOf(arrows)].join('\n')}\n`;
}

function state(node: AnyStateNode, depth: number): string[] {
  if (Object.keys(node.states).length > 0) return composite(node, depth);
  return [`${indent(depth)}state "${escaped(node.key)}" as ${idOf(node)}`];
}

function composite(node: AnyStateNode, depth: number): string[] {
  return [
    `${indent(depth)}state "${escaped(node.key)}" as ${idOf(node)} {`,
    ...inside(node, depth + 1),
    `${indent(depth)}}`,
  ];
}

function inside(node: AnyStateNode, depth: number): string[] {
  const children = Object.values(node.states);
  // All regions of a parallel state are entered at once.
  const initial = node.type === 'parallel' ? undefined : node.initial.target?.[0];
  const start = initial ? [`${indent(depth)}[*] --> ${idOf(initial)}`] : [];
  return [...start, ...children.flatMap((child) => state(child, depth))];
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/** A line for each arrow. What leads from a state back to itself shares one: mermaid draws only the last of several. */
function linesOf(arrows: readonly Arrow[]): Set<string> {
  const lines = arrows.map((arrow) => {
    const { from, to } = arrow;
    const loops = arrows.filter((other) => from === to && other.from === from && other.to === to);
    const labels = new Set((loops.length > 0 ? loops : [arrow]).map(({ label }) => escaped(label)));
    return `  ${from} --> ${to} : ${[...labels].join(' or ')}`;
  });
  return new Set(lines);
}

function drawn(transition: TransitionView): Arrow[] {
  const { source, target } = transition;
  if (target === undefined) return [];
  if (isWithin(target, source) && target !== source) {
    return (
      Object.values(source.states)
        // A final state is over: it hears nothing more.
        .filter((child) => child.type !== 'final' && !handles(child, transition.event))
        .map((child) => arrow(child, target, labelOf(transition)))
    );
  }
  const from = sibling(source, target);
  const to = sibling(target, source);
  const inner = from === source ? '' : `in ${source.key}, `;
  return [arrow(from, to, `${inner}${labelOf(transition)}`)];
}

/** The ancestor of a state, or the state itself, that stands side by side with an ancestor of another. */
function sibling(node: AnyStateNode, other: AnyStateNode): AnyStateNode {
  let current = node;
  while (current.parent && !isWithin(other, current.parent)) current = current.parent;
  return current;
}

function isWithin(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  for (let current: AnyStateNode | undefined = node; current; current = current.parent) {
    if (current === ancestor) return true;
  }
  return false;
}

/** Whether a state takes an event whatever happens, so that its parent never sees it. */
function handles(node: AnyStateNode, event: string): boolean {
  return ownTransitions(node).some((own) => eventInWords(own.eventType) === event && own.guard === undefined);
}

function labelOf({ event, guard }: TransitionView): string {
  return [event, guard && `[${guard}]`].filter(Boolean).join(' ') || 'at once';
}

function arrow(from: AnyStateNode, to: AnyStateNode, label: string): Arrow {
  return { from: idOf(from), to: idOf(to), label };
}

/** What mermaid would take for its own syntax, as the character codes that it reads. */
function escaped(text: string): string {
  return text.replace(/["#%&*:;<>\\_`]/g, (character) => `#${character.charCodeAt(0)};`);
}

function idOf(node: AnyStateNode): string {
  return node.id.replace(/[^A-Za-z0-9]+/g, '_');
}

function indent(depth: number): string {
  return '  '.repeat(depth);
}

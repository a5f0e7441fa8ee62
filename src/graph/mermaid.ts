import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { eventInWords, ownTransitions, type TransitionView, transitionsOf } from './transitions.js';

/**
 * Draws a machine as a mermaid state diagram, from its code. What a parent state handles is drawn at
 * each of its children, and a transition out of a nested state starts at the edge of its parent,
 * because mermaid has no arrows that cross the border of a state.
 */
export function toMermaid(machine: AnyStateMachine): string {
  const { root } = machine;
  const body = root.type === 'parallel' ? composite(root, 1) : inside(root, 1);
  const arrows = transitionsOf(machine)
    .filter(({ target }) => target !== undefined)
    .flatMap(drawn);
  return `${['stateDiagram-v2', ...body, ...new Set(arrows)].join('\n')}\n`;
}

function state(node: AnyStateNode, depth: number): string[] {
  if (Object.keys(node.states).length > 0) return composite(node, depth);
  return [`${indent(depth)}state "${node.key}" as ${idOf(node)}`];
}

function composite(node: AnyStateNode, depth: number): string[] {
  return [
    `${indent(depth)}state "${node.key}" as ${idOf(node)} {`,
    ...inside(node, depth + 1),
    `${indent(depth)}}`,
  ];
}

function inside(node: AnyStateNode, depth: number): string[] {
  const children = Object.values(node.states);
  if (node.type === 'parallel') {
    return children.flatMap((child, index) => [
      ...(index > 0 ? [`${indent(depth)}--`] : []),
      ...state(child, depth),
    ]);
  }
  const initial = node.initial.target?.[0];
  const start = initial ? [`${indent(depth)}[*] --> ${idOf(initial)}`] : [];
  return [...start, ...children.flatMap((child) => state(child, depth))];
}

function drawn(transition: TransitionView): string[] {
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

function arrow(from: AnyStateNode, to: AnyStateNode, label: string): string {
  return `  ${idOf(from)} --> ${idOf(to)} : ${label}`;
}

function idOf(node: AnyStateNode): string {
  return node.id.replace(/[^A-Za-z0-9]+/g, '_');
}

function indent(depth: number): string {
  return '  '.repeat(depth);
}

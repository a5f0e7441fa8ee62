import type { AnyStateMachine } from 'xstate';
import { toMermaid } from './mermaid.js';
import { pathOf, statesOf, transitionsOf } from './transitions.js';

/** A page about a machine: its drawing, which is a file beside it, what each state means, and every transition. */
export function toMarkdown(machine: AnyStateMachine, drawing: { about: string; file: string }): string {
  return [
    `[![${drawing.about}](${drawing.file})](${drawing.file})`,
    '<details><summary>The same as a mermaid diagram</summary>',
    ['```mermaid', toMermaid(machine).trimEnd(), '```'].join('\n'),
    ...(hasRegions(machine) ? [REGIONS] : []),
    '</details>',
    '## States',
    table(
      ['state', 'meaning'],
      statesOf(machine)
        .filter((node) => node.description !== undefined)
        .map((node) => [code(pathOf(node)), node.description ?? '']),
    ),
    '## Transitions',
    table(
      ['in', 'on', 'if', 'goes to', 'does'],
      transitionsOf(machine).map(({ source, event, guard, target, actions }) => [
        pathOf(source) === '' ? 'any state' : code(pathOf(source)),
        event === '' ? 'at once' : code(event),
        guard ?? '',
        target ? code(pathOf(target)) : '',
        actions.join(', ') || (target ? '' : 'nothing, so that no parent state takes it'),
      ]),
    ),
  ].join('\n\n');
}

const REGIONS =
  'States side by side without a dot that leads to one of them are regions: they run at the same time.';

function hasRegions(machine: AnyStateMachine): boolean {
  return [machine.root, ...statesOf(machine)].some(({ type }) => type === 'parallel');
}

/** A table in markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

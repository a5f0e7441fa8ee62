/** A machine as plain data, made from its definition: what a page or a drawing shows. */
export interface Statechart {
  readonly machine: string;
  readonly root: ChartState;
  /** Those of a state itself in the order of its code, parents first. */
  readonly transitions: readonly ChartTransition[];
}

export interface ChartState {
  /** The path below the root, joined with dots: `work.draining.finishing`. Empty for the root. */
  readonly id: string;
  readonly key: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly description?: string;
  /** The id of the state that a compound state begins with. */
  readonly initial?: string;
  readonly tags: readonly string[];
  /** The ids of the actors that run while the state lasts. */
  readonly invokes: readonly string[];
  readonly states: readonly ChartState[];
}

export interface ChartTransition {
  /** The same as long as its state, its event and its place among the alternatives for that event are. */
  readonly id: string;
  readonly source: string;
  /** null: the state stays as it is. */
  readonly target: string | null;
  /** The other targets, where several regions are entered at once. */
  readonly alsoTo?: readonly string[];
  /** The event as people call it: `load done`, `after drainTimeout`, or empty: at once. */
  readonly event: string;
  readonly eventType: string;
  readonly guard?: string;
  readonly actions: readonly string[];
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Point = readonly [x: number, y: number];

export interface Edge {
  /** From the source to the target; none for a transition that stays in its state. Several may share an arrow. */
  readonly points: readonly Point[];
  /** Where its label stands; a line in the state where there is no arrow. */
  readonly label: Box;
}

/** Where the parts of a chart stand, in pixels from the top left. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** By the id of the state. The root is the frame around all. */
  readonly boxes: Readonly<Record<string, Box>>;
  /** Where the words of a state stand that arrows would cross at the top left of its box, by its id. */
  readonly words?: Readonly<Record<string, Box>>;
  /** By the id of the transition. */
  readonly edges: Readonly<Record<string, Edge>>;
  /** The dot with which a compound state begins, and the arrow from there, by the id of that state. */
  readonly initials: Readonly<Record<string, { readonly dot: Box; readonly points: readonly Point[] }>>;
}

/** Every state of a chart, parents first, its root included. */
export function chartStates(root: ChartState): ChartState[] {
  return [root, ...root.states.flatMap(chartStates)];
}

import type { Happening } from './contract.js';
import { groupOf } from './fair.js';

/** A happening as it is sent and stored. */
export interface Kept {
  readonly seq: number;
  /** Whether it happened to a request. */
  readonly ofRequest: boolean;
  /** What is told often makes room for its like, not for what is rare. */
  readonly group: string;
  /** JSON. */
  readonly text: string;
}

export function asKept(happening: Happening): Kept {
  return {
    seq: happening.seq,
    ofRequest: happening.kind === 'request',
    group: groupOf(happening),
    text: JSON.stringify(happening),
  };
}

export interface RingLimits {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Keeps what has happened last, bounded in count and bytes. The oldest of what there is most of goes first, so that
 * the load of a model a week ago is still there after thousands of reports.
 */
export class Ring {
  readonly #limits: RingLimits;
  readonly #groups = new Map<string, Group>();
  #count = 0;
  #bytes = 0;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Its `seq` is greater than that of all before it. */
  add(kept: Kept): void {
    const group = this.#groups.get(kept.group) ?? new Group();
    this.#groups.set(kept.group, group);
    const bytes = group.add(kept);
    this.#count += 1;
    this.#bytes += bytes;
    while (this.#count > this.#limits.count) this.#drop((each) => each.count);
    while (this.#bytes > this.#limits.bytes) this.#drop((each) => each.bytes);
  }

  /** What is kept of what came after `seq`, oldest first. */
  after(seq: number): Kept[] {
    return [...this.#groups.values()]
      .flatMap((group) => group.after(seq))
      .sort((one, other) => one.seq - other.seq);
  }

  /** Takes the oldest out of the group that has most. */
  #drop(amountOf: (group: Group) => number): void {
    let [name, most] = ['', 0];
    for (const [each, group] of this.#groups) {
      if (amountOf(group) > most) [name, most] = [each, amountOf(group)];
    }
    const group = this.#groups.get(name);
    if (group === undefined) return;
    this.#bytes -= group.dropOldest();
    this.#count -= 1;
    if (group.count === 0) this.#groups.delete(name);
  }
}

interface Sized {
  readonly kept: Kept;
  readonly bytes: number;
}

/** Oldest first. */
class Group {
  readonly #items: Sized[] = [];
  bytes = 0;

  get count(): number {
    return this.#items.length;
  }

  add(kept: Kept): number {
    const bytes = Buffer.byteLength(kept.text);
    this.#items.push({ kept, bytes });
    this.bytes += bytes;
    return bytes;
  }

  dropOldest(): number {
    const { bytes = 0 } = this.#items.shift() ?? {};
    this.bytes -= bytes;
    return bytes;
  }

  after(seq: number): Kept[] {
    let from = this.#items.length;
    while (from > 0 && (this.#items[from - 1]?.kept.seq ?? 0) > seq) from -= 1;
    return this.#items.slice(from).map(({ kept }) => kept);
  }
}

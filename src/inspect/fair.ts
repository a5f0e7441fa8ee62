import type { Happening } from './contract.js';

/** What is told often makes room for its like, not for what is rare. */
export function groupOf({ actor, event }: Pick<Happening, 'actor' | 'event'>): string {
  return `${actor} ${event}`;
}

/** At most so many of them, chosen as by the ring: the oldest of what there is most of go. */
export function fairly(happenings: readonly Happening[], most: number): readonly Happening[] {
  if (happenings.length <= most) return happenings;
  const counts = new Map<string, number>();
  for (const each of happenings) {
    const group = groupOf(each);
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  const surplus = surplusOf(counts, most);
  return happenings.filter((each) => {
    const group = groupOf(each);
    const left = surplus.get(group) ?? 0;
    if (left > 0) surplus.set(group, left - 1);
    return left === 0;
  });
}

/** How many of each group are too many: a small group leaves the room that it does not need to the larger ones. */
function surplusOf(counts: ReadonlyMap<string, number>, most: number): Map<string, number> {
  const surplus = new Map<string, number>();
  let [room, groups] = [most, counts.size];
  for (const [group, count] of [...counts].sort(([, one], [, other]) => one - other)) {
    const kept = Math.min(count, Math.floor(room / groups));
    surplus.set(group, count - kept);
    room -= kept;
    groups -= 1;
  }
  return surplus;
}

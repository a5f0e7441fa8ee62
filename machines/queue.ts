/**
 * A persistent first-in, first-out queue whose items are known by their place in all that was ever appended.
 * The items lie in chunks: a new version of the queue copies one chunk, and the list of the chunks only when
 * a chunk begins or ends, so that its length does not make it slow.
 */
export interface Queue<Item> {
  /** The sequence number of the oldest item. */
  readonly first: number;
  /** The sequence number of the item that will be appended next. */
  readonly next: number;
  /** Chunks that are full, oldest first. The oldest item stands in the first of them, or in `last`. */
  readonly full: readonly Chunk<Item>[];
  /** The chunk that is being filled. */
  readonly last: Chunk<Item>;
}

type Chunk<Item> = readonly Item[];

const CHUNK_LENGTH = 64;

export function openQueue<Item>(): Queue<Item> {
  return { first: 0, next: 0, full: [], last: [] };
}

export function sizeOf({ first, next }: Queue<unknown>): number {
  return next - first;
}

/** Many at once cost hardly more than one. */
export function append<Item>(queue: Queue<Item>, ...items: Item[]): Queue<Item> {
  const next = queue.next + items.length;
  const last = [...queue.last, ...items];
  if (last.length < CHUNK_LENGTH) return { ...queue, next, last };
  const full = [...queue.full];
  while (last.length >= CHUNK_LENGTH) full.push(last.splice(0, CHUNK_LENGTH));
  return { ...queue, next, full, last };
}

/** Removes the items before a sequence number; what has gone already stays gone. */
export function removeBefore<Item>(queue: Queue<Item>, sequence: number): Queue<Item> {
  const first = Math.min(sequence, queue.next);
  if (first <= queue.first) return queue;
  const chunksGone = chunkOf(first) - chunkOf(queue.first);
  return { ...queue, first, full: chunksGone > 0 ? queue.full.slice(chunksGone) : queue.full };
}

/** The oldest items, at most `max` of them, oldest first. */
export function oldest<Item>(queue: Queue<Item>, max: number): readonly Item[] {
  const count = Math.min(max, sizeOf(queue));
  const skipped = queue.first % CHUNK_LENGTH;
  const chunks = queue.full.slice(0, Math.ceil((skipped + count) / CHUNK_LENGTH));
  return [...chunks, queue.last].flat().slice(skipped, skipped + count);
}

/** The number of the chunk that an item stands in. */
function chunkOf(sequence: number): number {
  return Math.floor(sequence / CHUNK_LENGTH);
}

/**
 * A priority queue of places (small whole numbers), least key first and of equal keys the lower id. It finds and
 * removes any place at once, and makes no objects: millions of requests go through it.
 */
export class PlaceHeap {
  /** Places in the order of a binary heap. */
  readonly #places: number[] = [];
  /** By place: its index in the heap, its key and its id. */
  readonly #index: number[] = [];
  readonly #keys: number[] = [];
  readonly #ids: number[] = [];

  get size(): number {
    return this.#places.length;
  }

  /** The first place; -1: there is none. */
  get first(): number {
    return this.#places[0] ?? -1;
  }

  get firstKey(): number {
    return this.#keys[this.first] ?? Number.POSITIVE_INFINITY;
  }

  add(place: number, key: number, id: number): void {
    this.#keys[place] = key;
    this.#ids[place] = id;
    this.#places.push(place);
    this.#rise(this.#places.length - 1, place);
  }

  /** Takes a place out; nothing, if it is not in. */
  remove(place: number): void {
    const at = this.#index[place] ?? -1;
    if (at < 0) return;
    this.#index[place] = -1;
    const last = this.#places.pop();
    if (last === undefined || last === place) return;
    this.#rise(at, last);
    this.#sink(this.#index[last] ?? at, last);
  }

  #rise(from: number, place: number): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = this.#places[above] ?? place;
      if (!this.#isBefore(place, other)) break;
      this.#put(at, other);
      at = above;
    }
    this.#put(at, place);
  }

  #sink(from: number, place: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const one = this.#places[left];
      if (one === undefined) break;
      const other = this.#places[left + 1];
      const isRight = other !== undefined && this.#isBefore(other, one);
      const least = isRight ? other : one;
      if (!this.#isBefore(least, place)) break;
      this.#put(at, least);
      at = isRight ? left + 1 : left;
    }
    this.#put(at, place);
  }

  #put(at: number, place: number): void {
    this.#places[at] = place;
    this.#index[place] = at;
  }

  #isBefore(one: number, other: number): boolean {
    const difference = (this.#keys[one] ?? 0) - (this.#keys[other] ?? 0);
    return difference < 0 || (difference === 0 && (this.#ids[one] ?? 0) < (this.#ids[other] ?? 0));
  }
}

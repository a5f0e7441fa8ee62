const FIRST_ROOM = 1_024;

/** Requests that wait for a worker, in the order in which they came: a ring that grows, and makes no objects. */
export class WaitingLine {
  #atMs = new Float64Array(FIRST_ROOM);
  #units = new Float64Array(FIRST_ROOM);
  #head = 0;
  #size = 0;
  #sum = 0;
  /** Of each its units times when it came. */
  #moments = 0;

  get size(): number {
    return this.#size;
  }

  /** Units of work that wait. */
  get units(): number {
    return this.#size === 0 ? 0 : this.#sum;
  }

  /** How long they have waited, on average of their units. */
  waitedMs(nowMs: number): number {
    return this.units === 0 ? 0 : Math.max(0, nowMs - this.#moments / this.#sum);
  }

  /** When the first of them came; Infinity: none waits. */
  get firstAtMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#atMs[this.#head] ?? 0);
  }

  get firstUnits(): number {
    return this.#units[this.#head] ?? 0;
  }

  add(atMs: number, units: number): void {
    if (this.#size === this.#atMs.length) this.#grow();
    const tail = (this.#head + this.#size) & (this.#atMs.length - 1);
    this.#atMs[tail] = atMs;
    this.#units[tail] = units;
    this.#size += 1;
    if (this.#size === 1) [this.#sum, this.#moments] = [0, 0];
    this.#sum += units;
    this.#moments += units * atMs;
  }

  dropFirst(): void {
    if (this.#size === 0) return;
    this.#sum -= this.firstUnits;
    this.#moments -= this.firstUnits * this.firstAtMs;
    this.#head = (this.#head + 1) & (this.#atMs.length - 1);
    this.#size -= 1;
  }

  #grow(): void {
    this.#atMs = grown(this.#atMs, this.#head);
    this.#units = grown(this.#units, this.#head);
    this.#head = 0;
  }
}

/** Twice as much room, with what is in it from the head on. */
function grown(ring: Float64Array, head: number): Float64Array<ArrayBuffer> {
  const room = new Float64Array(ring.length * 2);
  room.set(ring.subarray(head));
  room.set(ring.subarray(0, head), ring.length - head);
  return room;
}

import type { CompiledRoute } from '../backend/index.js';
import { Lane } from './lane.js';

/** The lane of each route. Routes that allow no parallel requests share one, as they share the model. */
export class Lanes {
  readonly #lanes = new Map<CompiledRoute, Lane>();

  constructor(routes: Iterable<CompiledRoute>) {
    const shared = new Lane(1);
    for (const route of routes) {
      this.#lanes.set(route, route.lane === 'shared' ? shared : new Lane(route.lane));
    }
  }

  of(route: CompiledRoute): Lane {
    const lane = this.#lanes.get(route);
    if (lane === undefined) throw new Error(`There is no lane for ${route.path}.`);
    return lane;
  }

  /** Requests that wait for their turn. */
  get waiting(): number {
    return [...new Set(this.#lanes.values())].reduce((sum, { waiting }) => sum + waiting, 0);
  }
}

import type { Now } from '../contract.js';
import { ScrollTable } from './scroll-table.js';
import { figure } from './words.js';

/** The metrics actor in the list of those that run. It is no statechart, so that nothing else tells of it. */
export const METRICS = 'lifecycle/metrics';

/** What the metrics actor has counted: it has no states, but a ledger. */
export function Metrics({ now: { worker, live } }: { readonly now: Now }) {
  const { totals, reported, unreported } = worker.ledger;
  return (
    <>
      <p class="caption" id="metrics-title">
        It counts work, and has no states. So it {live ? 'is now' : 'was at the end'}, in units of work and in
        requests.
      </p>
      <ScrollTable titleId="metrics-title" columns={['', 'in all', 'acknowledged', 'to be told']}>
        {namesOf(totals).map((name) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="number">{figure(totals[name])}</td>
            <td class="number">{figure(reported[name])}</td>
            <td class="number">{figure(unreported[name])}</td>
          </tr>
        ))}
      </ScrollTable>
    </>
  );
}

function namesOf<T extends object>(of: T): (keyof T & string)[] {
  return Object.keys(of) as (keyof T & string)[];
}

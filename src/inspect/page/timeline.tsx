import type { Now, Stay } from '../contract.js';
import type { PageState } from './page-state.js';
import { ScrollTable } from './scroll-table.js';
import { spanOf, timeOf } from './words.js';

/** The states since the start: as a bar, and as rows with what led to each. */
export function Timeline({ now, state }: { readonly now: Now; readonly state: PageState }) {
  const { timeline, atMs } = now;
  const [first] = timeline;
  const from = first?.fromMs ?? atMs;
  const place = (ms: number) => `${Math.min(99.8, ((ms - from) / Math.max(1, atMs - from)) * 100)}%`;
  const looked = state.looked?.at;
  return (
    <section class="card" aria-labelledby="timeline-title">
      <h2 id="timeline-title">States since the start</h2>
      <div class="bar" aria-hidden="true">
        {timeline.map((stay) => (
          // Each reaches to the end, and is covered by what came next: so the present one is seen, however many there were.
          <span
            key={stay.nth}
            class={`stay is-${stay.state}`}
            style={{ left: place(stay.fromMs) }}
            title={`${stay.state} for ${spanOf(lengthOf(stay, atMs))}`}
          />
        ))}
        {looked !== undefined && <span class="looked" style={{ left: place(looked.atMs) }} />}
      </div>
      {first !== undefined && first.nth > 0 && <p class="note">The first {first.nth} are no longer kept.</p>}
      <ScrollTable titleId="timeline-title" columns={['from', 'state', 'for', 'why']}>
        {timeline.toReversed().map((stay, fromEnd) => (
          // Two can begin in one millisecond, but none goes to another place.
          <tr key={timeline.length - fromEnd}>
            <td class="time">{timeOf(stay.fromMs)}</td>
            <td>
              <span class={`chip is-${stay.state}`}>{stay.state}</span>
            </td>
            <td>{spanOf(lengthOf(stay, atMs))}</td>
            <td class="wide">{stay.reason}</td>
          </tr>
        ))}
      </ScrollTable>
    </section>
  );
}

function lengthOf({ fromMs, toMs }: Stay, atMs: number): number {
  return (toMs ?? atMs) - fromMs;
}

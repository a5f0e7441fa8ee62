import type { Now, Stay } from '../contract.js';
import type { PageState } from './page-state.js';
import { ScrollTable } from './scroll-table.js';
import { spanOf, timeOf } from './words.js';

/** The states since the start: as a bar, and as rows with what led to each. */
export function Timeline({ now, state }: { readonly now: Now; readonly state: PageState }) {
  const { timeline, atMs } = now;
  const from = timeline[0]?.fromMs ?? atMs;
  const whole = Math.max(1, atMs - from);
  const share = (ms: number) => `${Math.max(0.2, (ms / whole) * 100)}%`;
  const looked = state.looked?.at;
  return (
    <section class="card" aria-labelledby="timeline-title">
      <h2 id="timeline-title">States since the start</h2>
      <div class="bar" aria-hidden="true">
        {timeline.map((stay, nth) => (
          <span
            key={nth}
            class={`stay is-${stay.state}`}
            style={{ width: share(lengthOf(stay, atMs)) }}
            title={`${stay.state} for ${spanOf(lengthOf(stay, atMs))}`}
          />
        ))}
        {looked !== undefined && <span class="looked" style={{ left: share(looked.atMs - from) }} />}
      </div>
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

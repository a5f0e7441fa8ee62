import type { Now } from '../contract.js';
import { ScrollTable } from './scroll-table.js';
import { figure, spanOf } from './words.js';

/** The requests that are in the worker. */
export function Requests({ now }: { readonly now: Now }) {
  const { requestsUnderWay: rows, worker, atMs } = now;
  const more = worker.requestsUnderWay - rows.length;
  return (
    <section class="card" aria-labelledby="requests-title">
      <h2 id="requests-title">
        Requests under way <span class="count">{worker.requestsUnderWay}</span>
      </h2>
      {rows.length === 0 ? (
        <p class="empty">No request is in the worker.</p>
      ) : (
        <ScrollTable titleId="requests-title" columns={['route', 'is', 'for', 'units']}>
          {rows.map(({ id, route, state, kind, sinceMs, workload }) => (
            <tr key={id}>
              <td>
                <code>{route}</code>
                {kind === 'in-session' && <span class="note"> in a session</span>}
              </td>
              <td>
                <span class={`chip is-${state}`}>{state}</span>
              </td>
              <td>{spanOf(atMs - sinceMs)}</td>
              <td class="number">{figure(workload)}</td>
            </tr>
          ))}
        </ScrollTable>
      )}
      {more > 0 && <p class="empty">and {more} more</p>}
    </section>
  );
}

/** The sessions that are held. */
export function Sessions({ now }: { readonly now: Now }) {
  const { sessions, atMs } = now;
  return (
    <section class="card" aria-labelledby="sessions-title">
      <h2 id="sessions-title">
        Sessions <span class="count">{now.worker.sessions}</span>
      </h2>
      {sessions.length === 0 ? (
        <p class="empty">No session is held.</p>
      ) : (
        <ScrollTable titleId="sessions-title" columns={['session', 'is', 'requests', 'units', 'ends in']}>
          {sessions.map(({ id, state, inFlight, workload, expiresAtMs }) => (
            <tr key={id}>
              <td>
                <code>{id}</code>
              </td>
              <td>{state}</td>
              <td class="number">{inFlight}</td>
              <td class="number">{figure(workload)}</td>
              <td>{spanOf(expiresAtMs - atMs)}</td>
            </tr>
          ))}
        </ScrollTable>
      )}
    </section>
  );
}

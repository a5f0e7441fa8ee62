import type { Now } from '../contract.js';
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
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="requests-title">
          <table>
            <thead>
              <tr>
                <th scope="col">route</th>
                <th scope="col">is</th>
                <th scope="col">for</th>
                <th scope="col">units</th>
              </tr>
            </thead>
            <tbody>
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
            </tbody>
          </table>
        </div>
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
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="sessions-title">
          <table>
            <thead>
              <tr>
                <th scope="col">session</th>
                <th scope="col">is</th>
                <th scope="col">requests</th>
                <th scope="col">units</th>
                <th scope="col">ends in</th>
              </tr>
            </thead>
            <tbody>
              {sessions.map(({ id, state, inFlight, workload, expiresAtMs }) => (
                <tr key={id}>
                  <td>
                    <code>{id}…</code>
                  </td>
                  <td>{state}</td>
                  <td class="number">{inFlight}</td>
                  <td class="number">{figure(workload)}</td>
                  <td>{spanOf(expiresAtMs - atMs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

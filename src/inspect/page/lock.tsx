import type { TargetedSubmitEvent } from 'preact';
import type { Lock } from './page-state.js';

interface LockedProps {
  readonly lock: Lock;
  readonly unlock: (token: string) => void;
}

/** What there is to read, and to do, where the worker is not shown. */
export function Locked({ lock: { message, takesToken, isRefused }, unlock }: LockedProps) {
  const onSubmit = (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    unlock(String(new FormData(event.currentTarget).get('token') ?? ''));
  };
  return (
    <main class="lock">
      <h1>tsworker</h1>
      <p class="told">{message}</p>
      {takesToken && (
        <form onSubmit={onSubmit}>
          <label for="token">
            The token of the internal port (<code>TSWORKER_INTERNAL_TOKEN</code>)
          </label>
          <input id="token" name="token" type="password" autocomplete="off" required />
          <button type="submit">Look</button>
          {isRefused && <p role="alert">This is not the token.</p>}
        </form>
      )}
    </main>
  );
}

import type { TargetedSubmitEvent } from 'preact';

interface LockProps {
  readonly isRefused: boolean;
  readonly unlock: (token: string) => void;
}

/** Where the internal port has a lock. */
export function Lock({ isRefused, unlock }: LockProps) {
  const onSubmit = (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    unlock(String(new FormData(event.currentTarget).get('token') ?? ''));
  };
  return (
    <main class="lock">
      <h1>tsworker</h1>
      <form onSubmit={onSubmit}>
        <label for="token">
          The token of the internal port (<code>TSWORKER_INTERNAL_TOKEN</code>)
        </label>
        <input id="token" name="token" type="password" autocomplete="off" required />
        <button type="submit">Look</button>
        {isRefused && <p role="alert">This is not the token.</p>}
      </form>
    </main>
  );
}

import { type Dispatcher, fetch as undiciFetch } from 'undici';

/** A `fetch` whose connections, time-outs included, are those of the dispatcher. */
export function fetchThrough(dispatcher: Dispatcher): typeof globalThis.fetch {
  // The global fetch is undici's too, of another version: their types differ, what they take does not.
  const fetch = undiciFetch as unknown as typeof globalThis.fetch;
  return (input, init) => {
    const options: object = { ...init, dispatcher };
    return fetch(input, options);
  };
}

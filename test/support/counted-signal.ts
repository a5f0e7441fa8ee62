/** A signal that nobody aborts, and how many listeners are on it. */
export function countedSignal(): { readonly signal: AbortSignal; readonly listening: () => number } {
  const { signal } = new AbortController();
  let count = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (type: string, listener: () => void) => {
    count++;
    add(type, listener);
  };
  signal.removeEventListener = (type: string, listener: () => void) => {
    count--;
    remove(type, listener);
  };
  return { signal, listening: () => count };
}

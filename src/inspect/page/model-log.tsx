import { useEffect, useRef } from 'preact/hooks';

/** The last lines of the model's log. It follows, unless its reader has scrolled up. */
export function ModelLog({ lines }: { readonly lines: readonly string[] }) {
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    if (box.current !== null && follows.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  const onScroll = () => {
    const { scrollTop, clientHeight, scrollHeight } = box.current ?? {
      scrollTop: 0,
      clientHeight: 0,
      scrollHeight: 0,
    };
    follows.current = scrollTop + clientHeight >= scrollHeight - 20;
  };
  return (
    <section class="card" aria-labelledby="log-title">
      <h2 id="log-title">The model's log</h2>
      {lines.length === 0 ? (
        <p class="empty">
          No line of a model's log is known: set MODEL_LOG, or have the worker run the model.
        </p>
      ) : (
        <pre
          class="log scroll"
          ref={box}
          onScroll={onScroll}
          tabIndex={0}
          role="log"
          aria-labelledby="log-title"
          aria-live="off"
        >
          {lines.join('\n')}
        </pre>
      )}
    </section>
  );
}

/** How often it is looked whether the parent process is still there. */
const PARENT_CHECK_MS = 250;

/** Tells once when `parentPid` is not the parent of this process. Keeps no process alive. Returns how to look no more. */
export function onOrphaned(parentPid: number, tell: () => void): () => void {
  const timer = setInterval(() => {
    if (process.ppid === parentPid) return;
    clearInterval(timer);
    tell();
  }, PARENT_CHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

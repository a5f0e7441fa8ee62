import type { Log, LogFields } from '../log.js';

/** What the levels of a line are called. */
const LEVELS: readonly [from: number, name: keyof Log][] = [
  [50, 'error'],
  [40, 'warn'],
  [30, 'info'],
  [0, 'debug'],
];

/** A line of a worker's log, told in the log of this process, with the worker's id. */
export function relayLine(line: string, worker: number, log: Log): void {
  const fields = fieldsOf(line);
  if (fields === undefined) {
    log.info(`worker ${worker}: ${line}`, { worker });
    return;
  }
  const { level, time: _, msg, ...rest } = fields;
  const [, name] = LEVELS.find(([from]) => Number(level) >= from) ?? LEVELS[2] ?? [30, 'info'];
  log[name](`worker ${worker}: ${String(msg)}`, { ...rest, worker });
}

/** What a backend prints itself is no line of the log. */
function fieldsOf(line: string): LogFields | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null && 'level' in parsed && 'msg' in parsed
      ? (parsed as LogFields)
      : undefined;
  } catch {
    return undefined;
  }
}

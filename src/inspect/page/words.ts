/** A time of day, to the hundredth of a second, with the date where it is not today's. */
export function timeOf(atMs: number, nowMs = Date.now()): string {
  const time = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const hundredths = two(Math.floor(time.getMilliseconds() / 10));
  const ofDay = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${hundredths}`;
  if (time.toDateString() === new Date(nowMs).toDateString()) return ofDay;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${ofDay}`;
}

/** How long something took, as people say it: `420 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`. */
export function spanOf(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A figure in three digits, large ones with their prefix: `0.5`, `12.3`, `4.56 k`. */
export function figure(value: number | null): string {
  if (value === null) return '–';
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (Math.abs(value) >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}

/** An amount of work: `1 unit`, `4.56 k units`. */
export function units(workload: number): string {
  return `${figure(workload)} ${figure(workload) === '1' ? 'unit' : 'units'}`;
}

/** Names in the order in which they came first, with how often: `model.told ×3, report.settled`. */
export function inRow(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`)).join(', ');
}

/** A number of things, by thousands: `12 345`. */
export function counted(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u00a0');
}

/** The name of an actor: the end of its path. */
export function nameOf(actor: string): string {
  return actor.slice(actor.lastIndexOf('/') + 1);
}

import { messageOf } from '../errors.js';

/** The workload of a request about which the backend says nothing. */
export const DEFAULT_WORKLOAD = 100;

/** The most units of work that one request can be. */
export const MAX_WORKLOAD = 1e12;

/**
 * Sums of workloads must stay exact for the life of a worker: doubles count whole units up to 9e15, so
 * one request may not be a large part of that.
 */
export function isWorkload(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_WORKLOAD;
}

/**
 * The workload of one request. A workload function that throws or answers no usable number must not
 * poison the sums: it counts as the default, and `onProblem` hears of it.
 */
export function workloadOf(
  { workload: given }: { readonly workload: number | ((body: unknown) => number) },
  body: unknown,
  onProblem: (problem: string) => void,
): number {
  if (typeof given === 'number') return given;
  try {
    const workload = given(body);
    if (isWorkload(workload)) return workload;
    onProblem(`it answered ${String(workload)}`);
  } catch (error) {
    onProblem(messageOf(error));
  }
  return DEFAULT_WORKLOAD;
}

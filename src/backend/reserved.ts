/**
 * The paths that the worker answers itself, whatever dialect it speaks: an environment may choose another than the
 * backend has.
 */
export const RESERVED_PATHS: readonly string[] = [
  '/pyworker/update',
  '/session/create',
  '/session/get',
  '/session/health',
  '/session/end',
];

/**
 * A backend's route is asked first, so that one with a path of the worker's own would take its place, and the lock
 * on it.
 *
 * @throws {TypeError} when a route has such a path, naming it
 */
export function refuseReserved(path: string): void {
  if (!RESERVED_PATHS.includes(path)) return;
  throw new TypeError(
    `defineBackend: routes["${path}"] is a path of the worker's own; docs/backends.md lists them. ` +
      'Choose another: upstreamPath says where it leads on the model server',
  );
}

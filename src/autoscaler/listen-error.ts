import { messageOf } from '../errors.js';

/** The autoscaler cannot listen. `code` is that of the system: `EADDRINUSE`, `EACCES`, … */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;

  constructor(host: string, port: number, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'UNKNOWN';
    const reason = code === 'EADDRINUSE' ? 'the address is already in use' : messageOf(cause);
    super(`The local autoscaler cannot listen on ${host}:${port}: ${reason}.`, { cause });
    this.code = code;
  }
}

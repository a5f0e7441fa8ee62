import type { Express, Request } from 'express';
import { sameSecret } from '../auth/equal.js';
import { messageOf, WorkerError } from '../errors.js';
import { allowOnly } from './allow-only.js';

export interface UpdateCalls {
  /** Makes the worker ready to be restarted with new code. Rejects when it can't. */
  prepare(): Promise<void>;
  /** Lets the worker make way for the new code. */
  begin(): void;
  /** Lets the worker go on instead. False when there is nothing to withdraw, or when it is too late. */
  withdraw(): boolean;
}

export interface UpdateOptions {
  readonly masterToken: string;
  readonly calls: UpdateCalls;
}

const UPDATE = '/pyworker/update';

/** The call with which the autoscaler asks for an update. Without a token it is closed. */
export function addUpdateRoute(app: Express, { masterToken, calls }: UpdateOptions): void {
  app.all(UPDATE, async (request, response) => {
    allowOnly('POST', UPDATE, request);
    expectToken(request, masterToken);
    await calls.prepare().catch((cause) => {
      throw new WorkerError('update_failed', whyNot(cause), { cause });
    });
    // A worker with nothing to finish has ended before it could answer, if it begins before it has answered.
    response.once('close', () => calls.begin());
    response.set('Connection', 'close').json({ ok: true });
  });
}

/** The call with which whoever is on this machine takes it back. */
export function addUpdateWithdrawal(app: Express, { masterToken, calls }: UpdateOptions): void {
  app.all(UPDATE, (request, response) => {
    allowOnly('DELETE', UPDATE, request);
    expectToken(request, masterToken);
    if (!calls.withdraw()) throw new WorkerError('nothing_to_withdraw');
    response.json({ ok: true });
  });
}

function expectToken({ headers }: Request, masterToken: string): void {
  const [, token = ''] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? [];
  if (!sameSecret(token, masterToken)) throw new WorkerError('unauthorized');
}

/** Whoever reads this knows the master token, so the file may be named. */
function whyNot(cause: unknown): string {
  return `${messageOf(cause)}; have TSWORKER_UPDATE_FILE name a file that the worker may write`;
}

import type { Express } from 'express';
import { sameSecret } from '../auth/equal.js';
import { messageOf, WorkerError } from '../errors.js';
import { allowOnly } from './allow-only.js';

export interface UpdateOptions {
  readonly masterToken: string;
  /** Makes the worker ready to be restarted with new code. Rejects when it can't. */
  readonly onUpdate: () => Promise<void>;
}

/** The call with which the autoscaler asks for an update. Without a token it is closed. */
export function addUpdateRoute(app: Express, { masterToken, onUpdate }: UpdateOptions): void {
  app.all('/pyworker/update', async (request, response) => {
    allowOnly('POST', request.path, request);
    const [, token = ''] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (!sameSecret(token, masterToken)) throw new WorkerError('unauthorized');
    await onUpdate().catch((cause) => {
      throw new WorkerError('update_failed', whyNot(cause), { cause });
    });
    response.json({ ok: true });
  });
}

/** Whoever reads this knows the master token, so the file may be named. */
function whyNot(cause: unknown): string {
  return `${messageOf(cause)}; have TSWORKER_UPDATE_FILE name a file that the worker may write`;
}

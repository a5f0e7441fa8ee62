import type { RequestHandler, Response } from 'express';
import { cutBody, tellStatus } from './answer-report.js';
import type { CallFaultFunction } from './faults.js';

/** Lets each call of a client go on to its answer, or to the fault that is asked for. */
export function withFaults(fault: CallFaultFunction | undefined): RequestHandler {
  let sequence = 0;
  /** Calls that wait until the next one has been answered. */
  const held: (() => void)[] = [];
  return (req, res, next) => {
    sequence += 1;
    const asked = fault?.({ sequence, path: req.path.replace(/\/*$/, '/') });
    if (asked?.kind === 'reorder') {
      held.push(next);
      return;
    }
    res.once('close', () => {
      for (const release of held.splice(0)) release();
    });
    switch (asked?.kind) {
      case undefined:
        next();
        return;
      case 'status':
        tellStatus(res, asked);
        return;
      case 'hang':
        return;
      case 'reset':
        res.socket?.resetAndDestroy();
        return;
      case 'slow':
        later(res, asked.delayMs, next);
        return;
      case 'cut':
        // The call has its effect, and its answer is lost on the way.
        res.json = (body: unknown) => {
          cutBody(res, body);
          return res;
        };
        next();
        return;
    }
  };
}

function later(res: Response, delayMs: number, next: () => void): void {
  const timer = setTimeout(() => {
    res.off('close', leave);
    next();
  }, delayMs);
  const leave = (): void => clearTimeout(timer);
  res.once('close', leave);
}

import type { Response } from 'express';
import type { Books, Fault } from './faults.js';

type StatusFault = Extract<Fault, { kind: 'status' }>;

const OK_BODY = { ok: true };

/** Answers messages, properly or with a fault. */
export class ReportAnswers {
  /** Messages that wait until the next one has been answered. */
  readonly #held: (() => void)[] = [];

  answer(res: Response, books: Books, fault: Fault | undefined): void {
    if (fault?.kind === 'reorder') {
      this.#held.push(hold(res, books));
      return;
    }
    answerNow(res, books, fault);
    for (const release of this.#held.splice(0)) release();
  }
}

function answerNow(
  res: Response,
  books: Books,
  fault: Exclude<Fault, { kind: 'reorder' }> | undefined,
): void {
  switch (fault?.kind) {
    case undefined:
      books.count();
      acknowledge(res, books);
      return;
    case 'status':
      answerStatus(res, books, fault);
      return;
    case 'hang':
      books.settle(false);
      return;
    case 'reset':
      books.settle(false);
      res.socket?.resetAndDestroy();
      return;
    case 'slow':
      books.count();
      acknowledgeLater(res, books, fault.delayMs);
      return;
    case 'cut':
      books.count();
      books.settle(false);
      cutBody(res);
      return;
    case 'duplicate':
      books.count();
      books.count();
      acknowledge(res, books);
      return;
  }
}

/** Who sent it may leave before it is released; it has arrived all the same. */
function hold(res: Response, books: Books): () => void {
  let left = false;
  const leave = (): void => {
    left = true;
    books.settle(false);
  };
  res.once('close', leave);
  return () => {
    res.off('close', leave);
    books.count();
    if (!left) acknowledge(res, books);
  };
}

/** The books are settled before the bytes leave: who saw the 200 finds the message acknowledged. */
function acknowledge(res: Response, books: Books): void {
  books.settle(res.socket?.writable === true);
  res.json(OK_BODY);
}

function answerStatus(res: Response, books: Books, fault: StatusFault): void {
  const ok = fault.status >= 200 && fault.status < 300;
  if (ok) books.count();
  books.settle(ok);
  tellStatus(res, fault);
}

/** A status that a fault asked for, with a body that says so. */
export function tellStatus(res: Response, { status, retryAfter }: StatusFault): void {
  const ok = status >= 200 && status < 300;
  if (retryAfter !== undefined) res.set('retry-after', String(retryAfter));
  res
    .status(status)
    .json(ok ? OK_BODY : { error: 'fault', message: `The fault asked for status ${status}.` });
}

function acknowledgeLater(res: Response, books: Books, delayMs: number): void {
  const leave = (): void => {
    clearTimeout(timer);
    books.settle(false);
  };
  const timer = setTimeout(() => {
    res.off('close', leave);
    acknowledge(res, books);
  }, delayMs);
  res.once('close', leave);
}

/** The beginning of a body, then the end of the connection. */
export function cutBody(res: Response, whole: unknown = OK_BODY): void {
  const body = JSON.stringify(whole);
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.write(body.slice(0, Math.min(4, body.length / 2)), () => res.socket?.destroy());
}

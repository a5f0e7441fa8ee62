import { messageOf } from '../errors.js';
import { autoscaler } from './autoscaler.js';
import { certificate } from './certificate.js';
import { clock } from './clock.js';
import { disk } from './disk.js';
import { type Check, type Finding, type Found, type Subject, warning } from './finding.js';
import { key } from './key.js';
import { model } from './model.js';
import { modelLog } from './model-log.js';
import { ports } from './ports.js';

export const CHECKS: readonly Check[] = [autoscaler, key, clock, certificate, ports, modelLog, model, disk];

/** How long each check may take. */
export const CHECK_MS = 10_000;

/** Runs checks side by side, and answers in their order. One that breaks or takes too long is a finding itself. */
export async function runChecks(
  subject: Subject,
  checks: readonly Check[] = CHECKS,
  timeoutMs = CHECK_MS,
): Promise<readonly Finding[]> {
  const found = await Promise.all(
    checks.map(async (check) =>
      (await lookAt(check, subject, timeoutMs)).map((one): Finding => ({ check: check.name, ...one })),
    ),
  );
  return found.flat();
}

async function lookAt(check: Check, subject: Subject, timeoutMs: number): Promise<readonly Found[]> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const reason = new Error(`no answer within ${timeoutMs} ms`);
      controller.abort(reason);
      reject(reason);
    }, timeoutMs);
  });
  try {
    return await Promise.race([check.look(subject, controller.signal), late]);
  } catch (error) {
    return [warning(`it could not be found out: ${messageOf(error)}`, 'look into that, and check again')];
  } finally {
    clearTimeout(timer);
  }
}

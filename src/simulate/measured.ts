import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { messageInLine } from '../errors.js';

/** The file in which workers keep what they have measured. */
const FILE = z.object({
  version: z.literal(1),
  results: z.record(
    z.string(),
    z.object({ backend: z.string(), model: z.string(), gpu: z.string(), maxPerf: z.number().positive() }),
  ),
});

export interface Measured {
  readonly backend: string;
  readonly model: string;
  readonly gpu: string;
  /** Units of work per second. */
  readonly maxPerf: number;
}

/** What is wrong with a file of results, in a sentence. */
export class MeasuredError extends Error {
  override readonly name = 'MeasuredError';
}

/**
 * What workers with a model have measured. All of one backend and one model, since only these count in the same units.
 *
 * @param model which of several; empty: there is but one
 * @throws {MeasuredError}
 */
export async function readMeasured(path: string, model: string): Promise<readonly Measured[]> {
  const all = Object.values((await read(path)).results);
  if (all.length === 0) throw new MeasuredError('it has no result yet');
  const found = all.filter((each) => model === '' || nameOf(each) === model || each.model === model);
  const names = [...new Set((found.length === 0 ? all : found).map(nameOf))].toSorted();
  if (found.length === 0)
    throw new MeasuredError(`it has no result of "${model}"; it has ${names.join(', ')}`);
  if (names.length > 1) {
    throw new MeasuredError(
      `it has results of several models, which count in units of their own; name one with --model: ${names.join(', ')}`,
    );
  }
  return found.map(({ backend, model, gpu, maxPerf }) => ({ backend, model, gpu, maxPerf }));
}

/** A backend may have no name for its model. */
function nameOf({ backend, model }: Measured): string {
  return model === '' ? backend : `${backend}/${model}`;
}

async function read(path: string): Promise<z.infer<typeof FILE>> {
  try {
    return FILE.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const why =
      error instanceof z.ZodError
        ? `it does not have the form of results that a worker has measured (${wrongIn(error)})`
        : `it can not be read: ${messageInLine(error)}`;
    throw new MeasuredError(why);
  }
}

function wrongIn({ issues }: z.ZodError): string {
  const [first] = issues;
  return first === undefined ? '' : `${first.path.join('.') || 'all of it'}: ${first.message}`;
}

import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { hasCode, messageOf } from '../errors.js';
import { replaceFile } from '../replace-file.js';

/** What a result depends on. Where any of it differs, it is another result. */
export interface BenchmarkKey {
  readonly backend: string;
  readonly model: string;
  /** Whatever can be written as JSON: how it is measured, and with what. */
  readonly settings: unknown;
  readonly gpu: string;
}

export interface BenchmarkStore {
  /** The result in units of work per second; null: there is none that can be used. Never rejects. */
  lookUp(key: BenchmarkKey): Promise<number | null>;
  /** @throws when the file can't be written; what it held is still there */
  save(key: BenchmarkKey, maxPerf: number): Promise<void>;
}

const FILE = z.object({
  version: z.literal(1),
  // One row that is wrong must not cost the others.
  results: z.record(z.string(), z.unknown()),
});

const ROW = z.object({ maxPerf: z.number().positive() });

type Results = Readonly<Record<string, unknown>>;

/**
 * Keeps results in a JSON file, which is replaced whole: a worker that is killed while it saves leaves the file as
 * it was.
 *
 * @param onProblem hears, as a sentence and once, that the file can't be used; then there is no result, and saving
 * begins a new file
 */
export function createBenchmarkStore(
  path: string,
  onProblem: (problem: string) => void = () => {},
): BenchmarkStore {
  // A file is read when a result is looked for and when one is saved: what is wrong with it is no news then.
  let told = '';
  const tell = (problem: string) => {
    if (problem !== told) onProblem(problem);
    told = problem;
  };
  const read = async (): Promise<Results> => {
    try {
      return FILE.parse(JSON.parse(await readFile(path, 'utf8'))).results;
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) tell(`${path} can't be used: ${problemOf(error)}`);
      return {};
    }
  };
  return {
    async lookUp(key) {
      const results = await read();
      const id = idOf(key);
      if (!Object.hasOwn(results, id)) return null;
      const row = ROW.safeParse(results[id]);
      if (row.success) return row.data.maxPerf;
      tell(`${path} has a result that is no positive number`);
      return null;
    },
    async save(key, maxPerf) {
      const results = { ...(await read()), [idOf(key)]: { ...key, maxPerf } };
      await mkdir(dirname(resolve(path)), { recursive: true });
      await replaceFile(path, `${JSON.stringify({ version: 1, results }, null, 2)}\n`);
    },
  };
}

function idOf({ backend, model, settings, gpu }: BenchmarkKey): string {
  const text = JSON.stringify([backend, model, sorted(settings), gpu]);
  return createHash('sha256').update(text).digest('hex');
}

/** The same value with the fields of all objects in one order, whatever order they were written in. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => [name, sorted(field)]);
  return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function problemOf(error: unknown): string {
  return error instanceof z.ZodError ? 'it does not have the form of results' : messageOf(error);
}

import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { hasCode, messageOf } from '../errors.js';
import { benchmarkFileOf, stateFolder } from '../places.js';
import { type Check, type Found, fatal, ok, type Subject, warning } from './finding.js';

const GIB = 2 ** 30;
const WARNING_GIB = 1;
const FATAL_GIB = 0.1;

/** A folder that the worker writes to. */
interface Written {
  readonly folder: string;
  readonly uses: readonly Use[];
}

/** What is written to a folder. */
interface Use {
  /** Names the folder. */
  readonly variable: string;
  /** What is missing without it, as the rest of a sentence. */
  readonly loss: string;
}

/** Whether there is space, on `/` and wherever the worker writes, and whether it may write there. */
export const disk: Check = {
  name: 'disk',
  async look(subject) {
    const folders = foldersOf(subject);
    const findings = await Promise.all(folders.map(judgeFolder));
    return [...(await spaceOf(['/', ...folders.map(({ folder }) => folder)])), ...findings];
  },
};

/** Each folder once, though several variables may name it. */
function foldersOf(subject: Subject): readonly Written[] {
  const uses = new Map<string, Use[]>();
  for (const { folder, ...use } of usesOf(subject)) uses.set(folder, [...(uses.get(folder) ?? []), use]);
  return [...uses].map(([folder, uses]) => ({ folder, uses }));
}

function usesOf({ backend, config, reports }: Subject): readonly (Use & { readonly folder: string })[] {
  const { model } = backend ?? { model: null };
  const isSupervised = model !== null && model.command !== null;
  const isMeasured = [...(backend?.routes.values() ?? [])].some(({ benchmark }) => benchmark !== null);
  return [
    ...(reports || isSupervised
      ? [
          {
            folder: resolve(stateFolder(config)),
            variable: 'TSWORKER_STATE_DIR',
            loss: 'a crash would lose what the autoscaler does not know yet',
          },
        ]
      : []),
    ...(isMeasured
      ? [
          {
            folder: dirname(resolve(benchmarkFileOf(config))),
            variable: 'TSWORKER_BENCHMARK_FILE',
            loss: 'each start would measure the model anew',
          },
        ]
      : []),
    ...(isSupervised && model.log !== null
      ? [
          {
            folder: dirname(resolve(model.log)),
            variable: 'MODEL_LOG',
            loss: 'what the model server says would not be kept',
          },
        ]
      : []),
  ];
}

async function judgeFolder({ folder, uses }: Written): Promise<Found> {
  try {
    await access(await nearest(folder), constants.W_OK | constants.X_OK);
    return ok(`${folder} can be written`);
  } catch (error) {
    const losses = uses.map(({ loss }) => loss).join(', and ');
    const variables = uses.map(({ variable }) => variable).join(' and ');
    const change = `let ${variables} name a place that this user may write, or make it so`;
    return warning(`${folder} can not be written, so ${losses}: ${messageOf(error)}`, change);
  }
}

/** The folder itself, or the one above it that is there: the worker makes the rest. */
async function nearest(folder: string): Promise<string> {
  try {
    if ((await stat(folder)).isDirectory()) return folder;
  } catch (error) {
    if (hasCode(error, 'ENOENT') && folder !== dirname(folder)) return nearest(dirname(folder));
    throw error;
  }
  throw new Error(`${folder} is not a folder`);
}

/** One finding for each disk, named by the first folder that is on it. */
async function spaceOf(folders: readonly string[]): Promise<readonly Found[]> {
  const found = new Map<number, Found>();
  for (const folder of folders) {
    const there = await nearest(folder).catch(() => null);
    if (there === null) continue;
    const { dev } = await stat(there);
    if (found.has(dev)) continue;
    const { bavail, bsize } = await statfs(there);
    found.set(dev, judgeFree((bavail * bsize) / GIB, there));
  }
  return [...found.values()];
}

/** @param folder where */
export function judgeFree(gib: number, folder = '/'): Found {
  const found = `${gib.toFixed(1)} GiB are free on the disk of ${folder}`;
  const change = `remove what is not needed ("du -xh ${folder} | sort -h | tail" finds it), or rent a larger disk`;
  if (gib < FATAL_GIB) return fatal(found, change);
  return gib < WARNING_GIB ? warning(found, change) : ok(found);
}

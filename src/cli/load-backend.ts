import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { backends } from '../../backends/index.js';
import { type Backend, isBackend } from '../backend/index.js';
import { EXIT, UserError } from './exit.js';

const TYPESCRIPT = ['.ts', '.mts'];
const JAVASCRIPT = ['.js', '.mjs'];

/**
 * Loads a backend: one that comes with the package, by name, or a user's own file, by path.
 *
 * @throws {UserError} when there is none, or the file does not hold one
 */
export async function loadBackend(nameOrPath: string | undefined): Promise<Backend> {
  if (!nameOrPath) throw new UserError(`no backend is named, nor is BACKEND set; it takes ${known()}.`);
  const entry = Object.hasOwn(backends, nameOrPath) ? backends[nameOrPath] : undefined;
  if (entry !== undefined) return (await entry.load()).default;
  const extension = extname(nameOrPath);
  if (![...TYPESCRIPT, ...JAVASCRIPT].includes(extension)) {
    throw new UserError(`unknown backend "${nameOrPath}"; it takes ${known()}.`);
  }
  const path = resolve(nameOrPath);
  if (!existsSync(path)) throw new UserError(`there is no file ${path} to take a backend from.`);
  if (TYPESCRIPT.includes(extension)) {
    const { understandTypeScript } = await import('./typescript.js');
    understandTypeScript();
  }
  const exported = await importFile(path);
  if (isBackend(exported.default)) return exported.default;
  throw new UserError(
    `${path} has no backend as its default export; write "export default defineBackend({...})".`,
  );
}

async function importFile(path: string): Promise<{ default?: unknown }> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const { explainImport } = await import('./explain-import.js');
    throw new UserError(explainImport(path, error), EXIT.failed.code);
  }
}

function known(): string {
  return `${Object.keys(backends).join(', ')}, or the path of a file such as ./my-backend.ts`;
}

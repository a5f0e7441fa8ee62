import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BackendEntry, backends, type LoadSettings } from '../../backends/index.js';
import { type Backend, isBackend } from '../backend/index.js';
import { messageOf } from '../errors.js';
import { EXIT, UserError } from './exit.js';

const TYPESCRIPT = ['.ts', '.mts'];
const JAVASCRIPT = ['.js', '.mjs'];

/**
 * Loads a backend: one that comes with the package, by name, or a user's own file, by path. Such a file has by
 * default a backend, or a function of the settings that returns or promises one.
 *
 * @throws {UserError} when there is none, the file does not hold one, or the settings do not suit it
 */
export async function loadBackend(nameOrPath: string | undefined, settings: LoadSettings): Promise<Backend> {
  if (!nameOrPath) throw new UserError(`no backend is named, nor is BACKEND set; it takes ${known()}.`);
  const entry = Object.hasOwn(backends, nameOrPath) ? backends[nameOrPath] : undefined;
  if (entry !== undefined) return loadPackaged(entry, settings);
  if (!isSource(nameOrPath)) throw new UserError(`unknown backend "${nameOrPath}"; it takes ${known()}.`);
  const path = resolve(nameOrPath);
  const { default: exported } = await importFile(path, 'to take a backend from');
  const backend = isFactory(exported) ? await callFor(path, exported, settings) : exported;
  if (isBackend(backend)) return backend;
  throw new UserError(
    isFactory(exported)
      ? `the function that ${path} exports by default returns no backend; let it return defineBackend({...}).`
      : `${path} has no backend as its default export; write "export default defineBackend({...})".`,
  );
}

async function loadPackaged({ load }: BackendEntry, settings: LoadSettings): Promise<Backend> {
  try {
    return await load({ ...settings, importModule: importFunctions });
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(messageOf(error));
  }
}

async function importFunctions(path: string): Promise<Readonly<Record<string, unknown>>> {
  if (isSource(path)) return importFile(resolve(path), 'to take functions from');
  const taken = [...TYPESCRIPT, ...JAVASCRIPT].join(', ');
  throw new UserError(
    `the functions are to be in "${path}"; it takes the path of a file that ends in ${taken}.`,
  );
}

async function callFor(path: string, make: Factory, settings: LoadSettings): Promise<unknown> {
  try {
    return await make(settings);
  } catch (error) {
    throw await explained(path, error);
  }
}

async function importFile(path: string, what: string): Promise<Readonly<Record<string, unknown>>> {
  if (!existsSync(path)) throw new UserError(`there is no file ${path} ${what}.`);
  if (TYPESCRIPT.includes(extname(path))) {
    const { understandTypeScript } = await import('./typescript.js');
    understandTypeScript();
  }
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    throw await explained(path, error);
  }
}

async function explained(path: string, error: unknown): Promise<UserError> {
  const { explainImport } = await import('./explain-import.js');
  return new UserError(explainImport(path, error), EXIT.failed.code);
}

type Factory = (settings: LoadSettings) => unknown;

function isFactory(exported: unknown): exported is Factory {
  return typeof exported === 'function';
}

function isSource(path: string): boolean {
  return [...TYPESCRIPT, ...JAVASCRIPT].includes(extname(path));
}

function known(): string {
  return `${Object.keys(backends).join(', ')}, or the path of a file such as ./my-backend.ts`;
}

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

const isCompiled = import.meta.url.endsWith('.js');

/** Where the page is built to: beside this file where it is compiled, and in the same folder from the sources. */
export const PAGE_FOLDER = fileURLToPath(
  new URL(isCompiled ? './page/' : '../../dist/src/inspect/page/', import.meta.url),
);

/** The files of the built page by their paths, `/` and `/assets/…`; null: it is not built. They are few and small. */
export function readPage(folder: string = PAGE_FOLDER): ReadonlyMap<string, PageFile> | null {
  if (statSync(join(folder, 'index.html'), { throwIfNoEntry: false }) === undefined) return null;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => TYPES[extname(name)] !== undefined);
  return new Map(
    files.map((name) => {
      const path = name.replaceAll('\\', '/');
      const file = { type: TYPES[extname(name)] ?? '', bytes: readFileSync(join(folder, name)) };
      return [path === 'index.html' ? '/' : `/${path}`, file] as const;
    }),
  );
}

import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds dist/ once for the whole suite, when there is none or the sources are newer. */
export default function setup(): void {
  if (isCurrent()) return;
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, stdio: 'inherit' });
}

function isCurrent(): boolean {
  const builtAtMs = statSync(join(root, 'dist/src/cli/main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = [
    ...['machines', 'backends', 'src'].flatMap((folder) => filesIn(join(root, folder))),
    join(root, 'tsconfig.json'),
    join(root, 'tsconfig.build.json'),
  ];
  return sources.every((file) => statSync(file).mtimeMs < builtAtMs);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

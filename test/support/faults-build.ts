import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');

/** Where the programs under test run from. */
export const BUILT = join(root, 'node_modules/.cache/tsworker-faults');

/**
 * Builds dist/ once for the whole suite, when there is none or the sources are newer, and keeps a copy
 * of it, so that whoever builds while the suite runs does not take the program from under it.
 */
export default function setup(): void {
  if (!isCurrent()) {
    execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, stdio: 'inherit' });
  }
  rmSync(BUILT, { recursive: true, force: true });
  cpSync(dist, BUILT, { recursive: true });
  // Below node_modules no package.json further up is looked for.
  cpSync(join(root, 'package.json'), join(BUILT, 'package.json'));
}

function isCurrent(): boolean {
  const builtAtMs = statSync(join(dist, 'src/cli/main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
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

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where the programs that are measured run from. */
export const BUILT = join(root, 'node_modules/.cache/tsworker-bench');

/** Compiles the worker and the programs of the benchmark, to a folder of their own: dist/ is left alone. */
export function build(): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', join(root, 'bench/tsconfig.json')], { stdio: 'inherit' });
  mkdirSync(BUILT, { recursive: true });
  // Below node_modules no package.json further up is looked for.
  cpSync(join(root, 'package.json'), join(BUILT, 'package.json'));
}

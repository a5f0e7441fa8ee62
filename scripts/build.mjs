import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Builds dist/: the sources compiled, and the files that are served as they are. */
const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
cpSync('src/autoscaler/page', 'dist/src/autoscaler/page', {
  recursive: true,
  filter: (path) => !path.endsWith('tsconfig.json'),
});
cpSync('src/graph/layouts', 'dist/src/graph/layouts', { recursive: true });
execFileSync(process.execPath, ['scripts/build-page.mjs'], { stdio: 'inherit' });
chmodSync('dist/src/cli/main.js', 0o755);

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Packs the package, installs it in the example that tests a backend, and runs its tests, of node:test and of vitest. */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tsworker-tested-backend-'));
const npm = (cwd, ...args) => execFileSync('npm', args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });

try {
  npm(root, 'pack', '--silent', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  const project = join(folder, 'project');
  cpSync(join(root, 'examples/tested-backend'), project, {
    recursive: true,
    filter: (path) => !path.endsWith('node_modules'),
  });
  npm(
    project,
    'install',
    '--silent',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    join(folder, tarball),
  );
  npm(project, 'test', '--silent');
  npm(project, 'run', 'test:vitest', '--silent');
} catch (error) {
  if (error.status === undefined) throw error;
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatherCoverage, workerMachines } from 'tsworker/testing';

/** What the tests of all files have taken of the worker's lifecycle. A run in which it never failed, fails. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'covered-'));
  process.env.COVERED = folder;
  return () => {
    const lifecycle = gatherCoverage(workerMachines.lifecycle, { folder });
    rmSync(folder, { recursive: true });
    console.log(lifecycle.toText());
    // Vitest only prints what a teardown throws.
    if (lifecycle.untaken().includes('state work.failing')) process.exitCode = 1;
  };
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { TestProject } from 'vitest/node';
import { machines } from '../../src/graph/machines.js';
import { gatherCoverage } from '../../src/testing/index.js';
import { COVERAGE_FOLDER } from './machines/coverage.js';

/**
 * Sums up which states and transitions of the project's machines a run has taken, and prints it. A run of
 * all tests fails where one was not taken.
 */
export default function setup(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-coverage-'));
  process.env[COVERAGE_FOLDER] = folder;
  return async () => {
    const all = Object.entries(machines).map(([name, machine]) => gatherCoverage(machine, { name, folder }));
    rmSync(folder, { recursive: true });
    if (!(await ranInFull(project))) return;
    console.log(`\nStates and transitions of the machines that the tests took:`);
    for (const coverage of all) console.log(`  ${coverage.toText().replaceAll('\n', '\n  ')}`);
    // Vitest only prints what a teardown throws.
    if (all.some((coverage) => coverage.untaken().length > 0)) process.exitCode = 1;
  };
}

async function ranInFull(project: TestProject): Promise<boolean> {
  const { vitest } = project;
  const ran = new Set(vitest.state.getTestModules().map(({ moduleId }) => moduleId));
  const { testFiles } = await project.globTestFiles();
  return vitest.config.testNamePattern === undefined && testFiles.every((file) => ran.has(file));
}

import { readFileSync } from 'node:fs';

/**
 * Sums up what several test runs wrote as JSON, in one closing line. What could not even run counts as
 * failed: a file of tests that does not load, and a run that wrote nothing.
 */
const sums = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
      readFileSync(file, 'utf8'),
    );
    const unloaded = testResults.filter(
      ({ status, assertionResults }) =>
        status === 'failed' && assertionResults.every((each) => each.status !== 'failed'),
    );
    sums.passed += numPassedTests;
    sums.failed += numFailedTests + unloaded.length;
    sums.skipped += numPendingTests + numTodoTests;
  } catch (error) {
    console.error(`${file} can not be read, so the tests that write it count as a failure: ${error.message}`);
    sums.failed += 1;
  }
}
console.log(`${sums.passed} passed, ${sums.failed} failed, ${sums.skipped} skipped`);
if (sums.failed > 0) process.exitCode = 1;

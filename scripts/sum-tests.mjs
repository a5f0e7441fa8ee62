import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/**
 * Sums up what several test runs wrote as JSON: what failed, by name and with its message, where a reader of
 * the end of a long output finds it; then one closing line. What could not even run counts as failed: a file
 * of tests that does not load, and a run that wrote nothing.
 */
const sums = { passed: 0, failed: 0, skipped: 0 };

/** Lines of a failure's message that are shown: what was wrong, and the first of where. */
const LINES_SHOWN = 12;

function tellFailure(file, name, message = '') {
  console.log(`failed: ${relative(process.cwd(), file)}${name === '' ? '' : ` > ${name}`}`);
  for (const line of message.split('\n').slice(0, LINES_SHOWN)) console.log(`  ${line}`);
}

function sumFile({ name: file, status, message, assertionResults }) {
  const failures = assertionResults.filter((each) => each.status === 'failed');
  for (const { fullName, failureMessages } of failures)
    tellFailure(file, fullName, failureMessages.join('\n'));
  if (status !== 'failed' || failures.length > 0) return;
  tellFailure(file, '', message);
  sums.failed += 1;
}

for (const file of process.argv.slice(2)) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
      readFileSync(file, 'utf8'),
    );
    sums.passed += numPassedTests;
    sums.failed += numFailedTests;
    sums.skipped += numPendingTests + numTodoTests;
    testResults.forEach(sumFile);
  } catch (error) {
    console.error(`${file} can not be read, so the tests that write it count as a failure: ${error.message}`);
    sums.failed += 1;
  }
}
console.log(`${sums.passed} passed, ${sums.failed} failed, ${sums.skipped} skipped`);
if (sums.failed > 0) process.exitCode = 1;

import { type Finding, fatal, warning } from './finding.js';

/** What is wrong with the settings, a finding each. Pure. */
export function judgeSettings(problems: readonly string[], warnings: readonly string[]): readonly Finding[] {
  const set = 'set it as it says; "tsworker help start" and docs/configuration.md list every setting';
  const review =
    'correct it, or leave it if that is what you want; docs/configuration.md lists every setting';
  const findings = [
    ...problems.map((problem) => fatal(problem, set)),
    ...warnings.map((said) => warning(said, review)),
  ];
  return findings.map((found) => ({ check: 'environment', ...found }));
}

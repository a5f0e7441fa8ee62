import { styleText } from 'node:util';
import { configure } from '../../backend/index.js';
import { judgeSettings } from '../../check/environment.js';
import type { Finding, Subject } from '../../check/finding.js';
import { runChecks } from '../../check/run-checks.js';
import { type Config, type Overrides, readConfig } from '../../config/index.js';
import { dialectOf } from '../../dialect-of.js';
import { dialectFor } from '../../dialects/index.js';
import { messageOf } from '../../errors.js';
import { mustBeSigned } from '../../must-be-signed.js';
import { EXIT } from '../exit.js';
import { hasColors, type Io, print } from '../io.js';
import { loadBackend } from '../load-backend.js';
import { checkFor, loadSettings, warningsFor } from '../settings.js';

/** Says what would keep a worker from its work, and what to change. The exit code is 1 when anything is fatal. */
export async function check(
  name: string | undefined,
  given: Overrides,
  { json }: { readonly json: boolean },
  io: Io,
): Promise<number> {
  const findings = await findingsOf(name, given, io);
  const isFatal = findings.some(({ level }) => level === 'fatal');
  const text = json
    ? `${JSON.stringify({ ok: !isFatal, findings }, null, 2)}\n`
    : tableOf(findings, hasColors(io));
  await print(text, io);
  return isFatal ? EXIT.failed.code : EXIT.ok.code;
}

async function findingsOf(name: string | undefined, given: Overrides, io: Io): Promise<readonly Finding[]> {
  const result = readConfig(io.env, given);
  // Without settings there is nothing to look at.
  if (!result.ok) return judgeSettings(result.problems, []);
  const { config } = result;
  const { subject, problems, warnings } = await subjectOf(name, config, io);
  const settings = judgeSettings(problems, [...result.warnings, ...warnings]);
  const fine: Finding = {
    check: 'environment',
    level: 'ok',
    found: 'every setting can be used',
    change: null,
  };
  return [...(settings.length > 0 ? settings : [fine]), ...(await runChecks(subject))];
}

async function subjectOf(
  name: string | undefined,
  config: Config,
  io: Io,
): Promise<{ subject: Subject; problems: readonly string[]; warnings: readonly string[] }> {
  let backend: Subject['backend'] = null;
  const problems: string[] = [];
  try {
    const loaded = await loadBackend(name ?? config.backend, loadSettings(io.env, config));
    backend = configure(loaded, config);
    checkFor(loaded, config);
  } catch (error) {
    problems.push(...messageOf(error).split('\nerror: '));
  }
  // Of one that could not be loaded nothing is known: the most that it might need is looked at.
  const dialect =
    backend === null
      ? dialectFor({
          name: config.dialect ?? 'current',
          hasModel: false,
          loadForm: 'sum',
          tellsCapacity: false,
        })
      : dialectOf(backend);
  const needsKey = mustBeSigned(dialect, config);
  return {
    subject: { config, backend, reports: dialect !== null, needsKey, env: io.env },
    problems,
    warnings: backend === null ? [] : warningsFor(backend, config),
  };
}

const COLORS = { ok: 'green', warning: 'yellow', fatal: 'red' } as const;

function tableOf(findings: readonly Finding[], isColored: boolean): string {
  // Whether there are colours is said by what it writes to, not by this process's own output.
  const paint = (level: Finding['level'], text: string) =>
    isColored ? styleText(COLORS[level], text, { validateStream: false }) : text;
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, level, found, change }) => [
    `${paint(level, level.padEnd(7))}  ${check.padEnd(width)}  ${found}`,
    ...(change === null ? [] : [`${' '.repeat(width + 11)}→ ${change}`]),
  ]);
  const count = (level: Finding['level']) => findings.filter((one) => one.level === level).length;
  return `${[...lines, '', `${count('fatal')} fatal, ${count('warning')} warnings`].join('\n')}\n`;
}

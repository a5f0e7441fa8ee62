import { EXIT } from '../src/cli/exit.js';
import { table } from '../src/graph/markdown.js';

/** What each exit code means, for the pages that tell of them. */
export function exitCodesParts(): readonly string[] {
  return [
    '## Exit codes',
    table(
      ['code', 'meaning'],
      Object.values(EXIT).map(({ code, about }) => [String(code), about]),
    ),
    'A worker that can not start (1 or 2) but has a `CONTAINER_ID` does not end at once, unless its backend reports to nobody: ' +
      'it tells the autoscaler why until it is stopped, and has that exit code then. With `TSWORKER_BEACON=false` it ends at once.',
  ];
}

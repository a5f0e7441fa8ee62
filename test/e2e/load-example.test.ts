import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { LoadResult } from '../../src/load/result.js';
import { API_KEY, FleetProcess } from '../support/fleet-process.js';
import { Program, ROOT } from '../support/process.js';
import { run } from '../support/run-cli.js';

const FROM_SOURCES = [process.execPath, '--import', 'tsx', join(ROOT, 'src/cli/main.ts')] as const;

/** The example of the page that names the `tsworker dev` beside which it is run. */
function exampleOf(page: string) {
  const [, load = '', dev = ''] = /^tsworker (load .+?) +# tsworker dev (.+)$/m.exec(page) ?? [];
  return { load, dev: dev.split(' ') };
}

/** As a shell takes them apart. */
const wordsOf = (line: string) => (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ''));

it('the example of the page, beside the dev that it names, has all its requests answered', async () => {
  const { load, dev } = exampleOf(readFileSync(join(ROOT, 'docs/load.md'), 'utf8'));
  expect((await run(['load', '--help'])).stdout).toContain(`tsworker ${load}`);
  const fleet = new FleetProcess({ program: FROM_SOURCES, backend: 'helloautoscaler', options: dev });
  await fleet.reaches(1, 'ready');
  const { command: tried } = await fleet.logged(({ event }) => event === 'try');
  expect(tried).toContain(`request /increment '{"amount":2}' --cost 1 --autoscaler ${await fleet.url()}`);
  const [command, ...args] = FROM_SOURCES;
  const short = ['--duration', '4s', '--timeout', '8s', '--autoscaler', await fleet.url(), '--json'];
  const program = new Program(command, [...args, ...wordsOf(load), ...short], {
    env: { TSWORKER_API_KEY: API_KEY },
  });
  expect({ ...(await program.exited), said: program.stderr }).toMatchObject({ code: 0 });
  const { requests } = JSON.parse(program.lines.join('\n')) as LoadResult;
  expect(requests).toMatchObject({ sent: 70, succeeded: 70, failed: 0 });
});

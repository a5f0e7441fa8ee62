import { expect, it } from 'vitest';
import { API_KEY, FleetProcess } from '../support/fleet-process.js';
import { MAIN } from '../support/process.js';

it('a backend that fails wherever it is started is then tried in one worker alone, and who waits is told', async () => {
  const fleet = new FleetProcess({
    program: [process.execPath, MAIN],
    backend: 'test/fault/backends/broken.ts',
    options: ['--min-workers', '4', '--max-workers', '4', '--min-load', '100'],
  });
  await fleet.logged(({ event, what }) => event === 'fleet.decision' && what === 'activate', 60_000);
  const { decisions, scaling } = await fleet.decisions();
  const inTurn = decisions.toReversed();
  const first = inTurn.findIndex((each) => each.do === 'activate');
  const before = inTurn.slice(0, first);
  expect(before.slice(0, 4).map((each) => each.do)).toEqual(Array(4).fill('create'));
  expect(before.slice(4).map((each) => each.do)).toEqual(expect.arrayContaining(['fail', 'hold']));
  for (const { do: what, reason } of before) {
    if (what !== 'fail') continue;
    expect(reason).toMatch(
      /^its process ended by itself, with exit code 1: .*broken\.ts:\d+: Error: there is no GPU$/,
    );
  }
  expect(inTurn[first]?.reason).toMatch(/; it alone, since the last 4 starts have failed$/);
  expect(
    scaling?.workers.filter(({ phase }) => phase === 'creating' || phase === 'loading').length,
  ).toBeLessThanOrEqual(1);

  const answer = await fetch(`${await fleet.url()}/route/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ endpoint: 'my-endpoint', cost: 1, api_key: API_KEY }),
  });
  expect(await answer.json()).toMatchObject({
    status: expect.stringMatching(/^\d workers?: \d .*; the last \d starts of workers have failed$/),
  });
  fleet.program.kill('SIGTERM');
  expect(await fleet.program.exited).toEqual({ code: 0, signal: null });
});

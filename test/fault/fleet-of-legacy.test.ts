import { expect, it } from 'vitest';
import { Serverless } from '../../src/client/index.js';
import { API_KEY, FleetProcess } from '../support/fleet-process.js';
import { MAIN } from '../support/process.js';

const program = [process.execPath, MAIN] as const;

it('workers of a backend whose own dialect is the legacy one are sent requests', async () => {
  const fleet = new FleetProcess({ program, backend: 'helloautoscaler', options: ['--max-workers', '1'] });
  const client = new Serverless({ apiKey: API_KEY, autoscalerUrl: await fleet.url() });
  const endpoint = await client.endpoint('my-endpoint');
  const { body } = await endpoint.request('/increment', { amount: 2 }, { cost: 1, timeout: 60_000 });
  expect(body).toBe('Incremented');
  fleet.program.kill('SIGTERM');
  expect(await fleet.program.exited).toEqual({ code: 0, signal: null });
});

it('a fleet that is to speak the legacy dialect, and would be sent nothing, is refused', async () => {
  const fleet = new FleetProcess({
    program,
    backend: 'helloautoscaler',
    options: ['--max-workers', '1'],
    env: { TSWORKER_DIALECT: 'legacy' },
  });
  expect(await fleet.program.exited).toEqual({ code: 2, signal: null });
  expect(fleet.program.stderr).toContain(
    'error: TSWORKER_DIALECT is "legacy", in which helloautoscaler does not',
  );
});

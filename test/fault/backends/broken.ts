import { defineBackend } from 'tsworker';

// What there is in a worker alone is broken.
if (process.env.CONTAINER_ID !== undefined) throw new Error('there is no GPU');

export default defineBackend({
  name: 'broken',
  dialect: 'current',
  maxPerf: 1,
  routes: { '/run': { handle: () => 'done' } },
});

import { defineBackend } from 'tsworker';

// In a worker it waits for what never comes, as for a download.
if (process.env.CONTAINER_ID !== undefined) {
  console.log('waits');
  setInterval(() => {}, 1_000);
  await new Promise(() => {});
}

export default defineBackend({
  name: 'never-loads',
  maxPerf: 1,
  routes: { '/run': { handle: () => 'done' } },
});

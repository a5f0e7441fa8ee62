import { defineBackend } from 'tsworker';

export default defineBackend({
  name: 'proxy',
  maxPerf: 1000, // units of work per second
  model: { url: 'http://127.0.0.1:8000' },
  routes: {
    '/generate': {},
  },
});

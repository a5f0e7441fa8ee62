import { createRequire } from 'node:module';
import { medianOf } from './support/stats.js';

/**
 * One run of autocannon, whose options it takes as JSON. Its own result has latencies in whole milliseconds, rounded
 * down; what it tells of each response has them as they were, so the median is made of those.
 */
interface Run {
  on(event: 'response', hear: (client: unknown, status: number, bytes: number, ms: number) => void): void;
}

type Autocannon = (options: unknown, done: (error: Error | null, result: object) => void) => Run;

const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon;
const latencies: number[] = [];

const run = autocannon(JSON.parse(process.argv[2] ?? '{}'), (error, result) => {
  if (error !== null) throw error;
  console.log(JSON.stringify({ ...result, p50Ms: medianOf(latencies) }));
});
run.on('response', (_client, status, _bytes, ms) => {
  if (status >= 200 && status <= 299) latencies.push(ms);
});

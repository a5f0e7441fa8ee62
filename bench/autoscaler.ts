import { LocalAutoscaler } from '../src/autoscaler/index.js';
import { tellPort } from './support/program.js';
import { API_KEY } from './support/work.js';

/** The autoscaler of the benchmark: takes the workers' reports, and signs routes to them. */
const autoscaler = new LocalAutoscaler({ port: 0, apiKey: API_KEY });
await autoscaler.start();
tellPort(autoscaler.port);

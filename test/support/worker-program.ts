import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { freePorts } from './free-ports.js';
import { Program, ROOT } from './process.js';
import { PublicClient } from './public-client.js';

const PATIENCE_MS = 120_000;

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `tsworker start <backend>` as on an instance, known to an autoscaler of its own, and a client of it. */
export async function startWorkerProgram(backend: string, env: Readonly<Record<string, string>>) {
  const autoscaler = new LocalAutoscaler({ port: 0, reportIntervalMs: 1_000 });
  await autoscaler.start();
  onTestFinished(() => autoscaler.stop());
  const [port = 0, internalPort = 0] = await freePorts(2);
  const worker = new Program(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'start', backend], {
    cwd: ROOT,
    env: {
      CONTAINER_ID: '7',
      MASTER_TOKEN: 'the-master-token',
      REPORT_ADDR: autoscaler.url,
      TSWORKER_REPORT_INTERVAL: '1s',
      TSWORKER_BENCHMARK_FILE: join(temporaryFolder(), 'benchmarks.json'),
      TSWORKER_STATE_DIR: join(temporaryFolder(), 'state'),
      WORKER_PORT: String(port),
      WORKER_HTTP_PORT: String(internalPort),
      PUBLIC_IPADDR: '127.0.0.1',
      [`VAST_TCP_PORT_${port}`]: String(port),
      ...env,
    },
  });
  const isServing = () => worker.lines.find((line) => line.includes('"state":"serving"'));
  await worker.find('that it serves', isServing, PATIENCE_MS);
  const client = new PublicClient({ autoscalerUrl: autoscaler.url, apiKey: autoscaler.apiKey });
  onTestFinished(() => client.close());
  return { autoscaler, worker, client, port, internalPort };
}

export type WorkerProgram = Awaited<ReturnType<typeof startWorkerProgram>>;

/** What the worker has told so far, once it is as asked. */
export async function untilSums(
  { autoscaler }: Pick<WorkerProgram, 'autoscaler'>,
  matches: (sums: Readonly<Record<string, number>>) => boolean,
): Promise<Readonly<Record<string, number>>> {
  const sumsOf = (): Record<string, number> => ({ ...autoscaler.workers()[0]?.sums });
  if (!matches(sumsOf())) {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!matches(sumsOf())) return;
        autoscaler.off('message', look);
        resolve();
      };
      autoscaler.on('message', look);
    });
  }
  return sumsOf();
}

/** A whole stream: its text, and in how many pieces it came. */
export async function textOf(stream: AsyncIterable<Buffer>): Promise<{ text: string; chunks: number }> {
  let [text, chunks] = ['', 0];
  for await (const chunk of stream) {
    text += chunk.toString();
    chunks += 1;
  }
  return { text, chunks };
}

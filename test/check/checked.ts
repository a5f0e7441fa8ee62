import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { LocalAutoscaler } from '../../src/autoscaler/index.js';
import type { Finding } from '../../src/check/finding.js';
import { runCli } from '../../src/cli/program.js';
import { freePorts } from '../support/free-ports.js';
import { serveHttp } from '../support/http-server.js';
import { temporaryFolder } from '../support/worker-program.js';

export type Env = Readonly<Record<string, string>>;

/** What `tsworker check` answers. */
export async function check(args: readonly string[], env: Env) {
  let stdout = '';
  const output = {
    write: (text: string, done?: () => void) => {
      stdout += text;
      done?.();
    },
  };
  const code = await runCli(['check', ...args, '--json'], { env, stdout: output, stderr: output });
  const { ok, findings }: { ok: boolean; findings: Finding[] } = JSON.parse(stdout);
  const about = (name: string) => findings.filter((one) => one.check === name);
  return { code, ok, findings, about, stdout };
}

/** An environment in which all is well. */
export async function good(): Promise<Record<string, string>> {
  const autoscaler = new LocalAutoscaler({ port: 0 });
  await autoscaler.start();
  onTestFinished(() => autoscaler.stop());
  const model = await serveHttp((_, response) => response.end('well'));
  const [port = 0, internal = 0] = await freePorts(2);
  const log = join(temporaryFolder(), 'model.log');
  writeFileSync(log, 'a line');
  return {
    CONTAINER_ID: '7',
    MASTER_TOKEN: 'c0ffee-of-the-tests',
    REPORT_ADDR: autoscaler.url,
    PUBLIC_IPADDR: '127.0.0.1',
    TSWORKER_HOST: '127.0.0.1',
    WORKER_PORT: String(port),
    WORKER_HTTP_PORT: String(internal),
    [`VAST_TCP_PORT_${port}`]: String(port),
    MODEL_SERVER_URL: model.url,
    MODEL_LOG: log,
  };
}

import { appendFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createApi } from './api.js';
import { Engine } from './engine.js';

/**
 * A model server that speaks OpenAI's API around a real language model, on the CPU.
 *
 * Environment: MODEL_PATH, a GGUF file; MODEL_PORT, 0 for any free one; MODEL_LOG, a file that is
 * written beside standard output.
 */
const { MODEL_PATH, MODEL_PORT = '8000', MODEL_LOG } = process.env;
const HOST = '127.0.0.1';
const TINY = fileURLToPath(new URL('../../test/fixtures/tiny.gguf', import.meta.url));

function log(line: string): void {
  process.stdout.write(`${line}\n`);
  if (MODEL_LOG) appendFileSync(MODEL_LOG, `${line}\n`);
}

async function main(): Promise<void> {
  let engine: Engine | undefined;
  const server = createServer(createApi(() => engine, log));
  const url = await listen(server, Number(MODEL_PORT));
  const modelPath = MODEL_PATH || TINY;
  log(`main: ${url} answers 503 until the model is loaded`);
  log(`main: loading model '${modelPath}'`);

  const loading = Engine.load(modelPath);
  const stop = async (signal: string) => {
    log(`main: ${signal}, stopping`);
    server.close();
    server.closeAllConnections();
    await (await loading).dispose();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  engine = await loading;
  if (server.listening) log(`main: server is listening on ${url} - starting the main loop`);
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      const { port: taken } = server.address() as AddressInfo;
      resolve(`http://${HOST}:${taken}`);
    });
  });
}

try {
  await main();
} catch (error) {
  log(`main: error: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

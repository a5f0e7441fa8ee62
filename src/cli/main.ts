#!/usr/bin/env node
import { runCli } from './program.js';

/** How long what a backend has left running may go on once its worker has stopped. */
const LEFT_RUNNING_MS = 1_000;

// Those who read the output may go before the end. That stops neither a command nor a worker.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await runCli(process.argv.slice(2), process);
setTimeout(() => process.exit(), LEFT_RUNNING_MS).unref();

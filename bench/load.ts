import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadAnswer } from './support/answer-reader.js';
import { call } from './support/caller.js';
import { cpuSecondsOf } from './support/cpu.js';
import { at } from './support/stats.js';
import type { Leg, Measured } from './support/work.js';

/** The load generator, a process of its own: takes a leg as a message, and sends back what it measured. */
process.on('message', (leg: Leg) => {
  run(leg).then(
    (measured) => process.send?.({ measured }),
    (error: Error) => process.send?.({ problem: error.message }),
  );
});

async function run(leg: Leg): Promise<Measured> {
  const requests = leg.bodies.map((body) => requestFor(leg.path, body));
  const took: number[] = [];
  const limit = 'requests' in leg.until ? leg.until.requests : Number.POSITIVE_INFINITY;
  let [asked, isMeasured, isOver, answerBytes, bodyBytes] = [0, false, false, -1, 0];
  const onAnswer = ({ status, bodyBytes: bytes }: ReadAnswer, tookMs: number) => {
    if (status !== 200) throw new Error(`an answer has status ${status}`);
    if (answerBytes < 0) answerBytes = bytes;
    if (bytes !== answerBytes) throw new Error(`an answer has ${bytes} bytes, not ${answerBytes}`);
    if (isMeasured) took.push(tookMs);
  };
  const onBody = (bytes: number) => {
    if (isMeasured) bodyBytes += bytes;
  };
  const next = () => (isOver || asked === limit ? undefined : requests[asked++ % requests.length]);
  const callers = Promise.all(
    Array.from({ length: leg.connections }, () => call({ port: leg.port, next, onAnswer, onBody })),
  );
  const window = async () => {
    await sleep(leg.warmSeconds * 1_000);
    isMeasured = true;
    const before = standing(leg.pid);
    if ('seconds' in leg.until) await sleep(leg.until.seconds * 1_000);
    else await callers;
    const after = standing(leg.pid);
    [isMeasured, isOver] = [false, true];
    return { before, after };
  };
  const [{ before, after }] = await Promise.all([window(), callers]);
  took.sort((a, b) => a - b);
  return {
    requests: bodyBytes / answerBytes,
    seconds: (after.atMs - before.atMs) / 1_000,
    p50Ms: at(took, 0.5),
    p99Ms: at(took, 0.99),
    serverCpuSeconds: after.server - before.server,
    ownCpuSeconds: after.own - before.own,
    answerBytes,
  };
}

function standing(pid: number) {
  return { atMs: performance.now(), server: cpuSecondsOf(pid), own: cpuSecondsOf(process.pid) };
}

function requestFor(path: string, body: string): Buffer {
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

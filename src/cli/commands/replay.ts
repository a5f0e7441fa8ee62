import { port as portType } from '../../config/types.js';
import { hasCode, messageOf } from '../../errors.js';
import { whyCutShort } from '../../inspect/recorded.js';
import type { Recording } from '../../inspect/recording.js';
import { replayServer } from '../../inspect/replay-server.js';
import { type Retraced, retrace } from '../../inspect/retrace.js';
import { close, listen } from '../../net/server.js';
import { EXIT, UserError } from '../exit.js';
import { type Io, print } from '../io.js';
import { parseOption } from '../options.js';
import { recordingIn } from '../read-recording.js';
import { untilAskedToStop } from '../signals.js';

export interface ReplayOptions {
  readonly port: string;
  readonly assert?: true;
}

const LOOPBACK = '127.0.0.1';

/** Shows a recording on the page of a worker, or says whether the machines take the same path today. */
export async function replay(file: string, options: ReplayOptions, io: Io): Promise<number> {
  const port = parseOption('--port', options.port, portType);
  const recording = recordingIn(file);
  if (options.assert === true) {
    const retraced = retrace(recording);
    await print(inWords(retraced, recording), io);
    return isSamePath(retraced) ? EXIT.ok.code : EXIT.failed.code;
  }
  const server = replayServer(recording);
  const listening = await listen(server, port, LOOPBACK).catch((error: unknown) => {
    const { code } = hasCode(error, 'EADDRINUSE') ? EXIT.portTaken : EXIT.failed;
    throw new UserError(`can not listen on port ${port}: ${messageOf(error)}.`, code);
  });
  const asked = untilAskedToStop(io.env);
  const { happenings, end } = recording;
  const whole = end === null ? ', which was broken off,' : '';
  await print(
    `${happenings.length} events of ${recording.header.backend}${whole} are shown at http://${LOOPBACK}:${listening}/ until Ctrl-C\n`,
    io,
  );
  await asked;
  await close(server);
  return EXIT.ok.code;
}

function isSamePath({ divergence, actors }: Retraced): boolean {
  return divergence === null && actors > 0;
}

function inWords(retraced: Retraced, recording: Recording) {
  const { steps, actors, untraced, gaps, changed, divergence } = retraced;
  const lines = [];
  if (divergence !== null) {
    const { seq, actor, event, because } = divergence;
    lines.push(`event ${seq}, "${event}" of ${actor}, led elsewhere: ${because}`);
  } else if (actors === 0) lines.push('nothing can be asserted: no machine was recorded from its beginning');
  else lines.push(`the same path: ${steps} events of ${actors} actors lead where they led`);
  for (const { actor, after, before } of gaps)
    lines.push(`${actor} is asserted up to event ${after}: from there to event ${before} there is a gap`);
  lines.push(...missingInWords(retraced));
  if (changed.length > 0) lines.push(`changed since it was recorded: ${changed.join(', ')}`);
  if (untraced.length > 0)
    lines.push(`not recorded from the beginning, or not whole: ${untraced.join(', ')}`);
  return [...lines, ...endInWords(recording)].map((line) => `${line}\n`).join('');
}

/** What is missing at the end of an actor, or all of one, is seen by no later event of it. */
function missingInWords({ missing, unended }: Retraced): string[] {
  if (missing === null)
    return [
      'the recording does not say how many events it should hold: an actor without a gap may lack its end, or be missing as a whole',
    ];
  if (missing === 0) return [];
  const count = missing === 1 ? '1 event is' : `${missing} events are`;
  const lines = [`${count} missing from the recording: an actor may be missing as a whole`];
  if (unended.length > 0) lines.push(`no end is recorded of ${unended.join(', ')}`);
  return lines;
}

function endInWords(recording: Recording): string[] {
  const why = whyCutShort(recording);
  const last = recording.happenings.at(-1)?.seq;
  const when = last === undefined ? 'before its first event' : `after event ${last}`;
  return why === null ? [] : [`${why} ${when}: it says nothing of what came then`];
}

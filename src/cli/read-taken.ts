import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { messageOf } from '../errors.js';
import { digests } from '../inspect/recording.js';
import { UserError } from './exit.js';

/** Of a recording, what a drawing shows. */
const lineSchema = z.object({
  recording: z.number().optional(),
  machines: z.record(z.string(), z.string()).optional(),
  machine: z.string().optional(),
  took: z.array(z.string()).optional(),
  from: z.array(z.string()).optional(),
  to: z.array(z.string()).optional(),
});

type Line = z.infer<typeof lineSchema>;

/** What the actors of a machine took in a recording. */
export function readTaken(path: string, machine: string): Line[] {
  const [header, ...lines] = linesOf(path);
  if (header?.recording !== 1)
    throw new UserError(`${path} is no recording: its first line is no header of one.`);
  if (header.machines?.[machine] !== digests()[machine]) {
    throw new UserError(`${path} was recorded with another version of the ${machine} machine.`);
  }
  return lines.filter((line) => line.machine === machine);
}

function linesOf(path: string): Line[] {
  const texts = textOf(path).split('\n');
  return texts.flatMap((text, index) => {
    if (text === '') return [];
    const line = lineSchema.safeParse(parsed(text));
    if (line.success) return [line.data];
    // Whoever wrote it was killed while it wrote.
    if (index === texts.length - 1) return [];
    throw new UserError(`${path} is no recording: line ${index + 1} is not one of its lines.`);
  });
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`can not read the recording: ${messageOf(error)}.`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

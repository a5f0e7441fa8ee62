import { crc32 } from 'node:zlib';

/**
 * The lines of a journal: each has the check sum of its JSON before it, so that a line of which a crash has left
 * a part, or whose bytes have changed on the disk, is known.
 */

/** The records of a text, up to the first line that is not whole. */
export interface Records {
  readonly records: readonly unknown[];
  /**
   * whole; torn: the last line is not complete, as a crash leaves it while it is written; damaged: a line that is
   * not the last is wrong.
   */
  readonly state: 'whole' | 'torn' | 'damaged';
}

const LINE = /^([0-9a-f]{8}) (.*)$/;

export function lineOf(record: unknown): string {
  const json = JSON.stringify(record);
  return `${checkSumOf(json)} ${json}\n`;
}

export function recordsIn(text: string): Records {
  const lines = text.split('\n');
  // What is behind the last line break is a line that has not ended, or nothing.
  const rest = lines.pop();
  const records: unknown[] = [];
  for (const [index, line] of lines.entries()) {
    const record = recordOf(line);
    if (record === undefined) {
      const isLast = index === lines.length - 1 && rest === '';
      return { records, state: isLast ? 'torn' : 'damaged' };
    }
    records.push(record);
  }
  return { records, state: rest === '' ? 'whole' : 'torn' };
}

/** Undefined: the line is not what was written. */
function recordOf(line: string): unknown {
  const [, checkSum, json = ''] = LINE.exec(line) ?? [];
  if (checkSum === undefined || checkSum !== checkSumOf(json)) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function checkSumOf(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}

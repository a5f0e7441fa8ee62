import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { hasCode } from '../errors.js';

/**
 * What one process is known by. A number is given again when its process is gone, but not with the same time of
 * start: the two together are one process and no other, until the machine is started anew.
 */
export interface ProcessId {
  readonly pid: number;
  /** When it was started, in ticks of the kernel since the machine was. */
  readonly startTicks: number;
}

export interface ProcessFacts extends ProcessId {
  readonly group: number;
  readonly session: number;
  /** Dead, though nobody has asked yet how it ended. */
  readonly isDead: boolean;
}

export function isSame(one: ProcessId, other: ProcessId): boolean {
  return one.pid === other.pid && one.startTicks === other.startTicks;
}

/**
 * One process as it is now; null: there is none of this number.
 *
 * @throws when it can not be looked, as without a file descriptor
 */
export async function findProcess(pid: number): Promise<ProcessFacts | null> {
  try {
    return parseStat(await readFile(statOf(pid), 'utf8'));
  } catch (error) {
    return nullIfEnded(error);
  }
}

/** As `findProcess`, before it returns: for a process that ends. */
export function findProcessNow(pid: number): ProcessFacts | null {
  try {
    return parseStat(readFileSync(statOf(pid), 'utf8'));
  } catch (error) {
    return nullIfEnded(error);
  }
}

const statOf = (pid: number) => `/proc/${pid}/stat`;

/** It may have ended between two looks. */
function nullIfEnded(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ESRCH')) return null;
  throw error;
}

/**
 * The processes of a session that live. The dead ones are left out: those whose parent never asks how they ended
 * stay in the table for ever. They are read one after another: all at once would take a file descriptor each.
 *
 * @throws when it can not be looked
 */
export async function livingIn(session: number): Promise<readonly ProcessFacts[]> {
  const living: ProcessFacts[] = [];
  for (const pid of pidsOf(await readdir('/proc'))) {
    const facts = await findProcess(pid);
    if (livesIn(session, facts)) living.push(facts);
  }
  return living;
}

/** As `livingIn`, before it returns. */
export function livingInNow(session: number): readonly ProcessFacts[] {
  return pidsOf(readdirSync('/proc'))
    .map(findProcessNow)
    .filter((facts) => livesIn(session, facts));
}

function pidsOf(names: readonly string[]): readonly number[] {
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

function livesIn(session: number, facts: ProcessFacts | null): facts is ProcessFacts {
  return facts !== null && facts.session === session && !facts.isDead;
}

/** What is another one after each start of the machine. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** A line of /proc/<pid>/stat. The second field is a name, which may have blanks and parentheses in it. */
export function parseStat(line: string): ProcessFacts | null {
  const nameEnd = line.lastIndexOf(')');
  const [state = '', , group, session, ...rest] = line.slice(nameEnd + 2).split(' ');
  const facts = {
    pid: Number.parseInt(line, 10),
    group: Number(group),
    session: Number(session),
    startTicks: Number(rest[15]),
    isDead: state === 'Z' || state === 'X',
  };
  return nameEnd > 0 && Number.isInteger(facts.startTicks) ? facts : null;
}

/** How a process has ended, as the system tells it. */
export interface Exit {
  /** Null: it was ended by a signal. */
  readonly code: number | null;
  /** The name of the signal that ended it, such as SIGKILL; null: none did. */
  readonly signal: string | null;
  /** While it ran the kernel has killed a process for want of memory. */
  readonly outOfMemory: boolean;
  /** What it said last. */
  readonly lastLines: readonly string[];
}

/** What is known of an end. */
export interface Ending {
  /** Why it ended, in words; never empty. */
  readonly reason: string;
  /** The command itself is wrong, so that it would end in the same way each time. */
  readonly isHopeless: boolean;
  readonly lastLines: readonly string[];
}

/** The end of something that never was. */
export const NO_ENDING: Ending = { reason: 'it has not ended', isHopeless: false, lastLines: [] };

/** What a shell means by its own exit codes. */
const HOPELESS: Readonly<Record<number, string>> = {
  126: 'the command can not be executed',
  127: 'the command was not found',
};

/** A shell says 128 and the number of the signal that ended its command. */
const SIGNALS: Readonly<Record<number, string>> = {
  129: 'SIGHUP',
  130: 'SIGINT',
  131: 'SIGQUIT',
  132: 'SIGILL',
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  141: 'SIGPIPE',
  143: 'SIGTERM',
};

export function endingOf(exit: Exit): Ending {
  const { code, lastLines } = exit;
  return { reason: inWords(exit), isHopeless: code !== null && code in HOPELESS, lastLines };
}

const LAST_LINES = 'its last lines:';

/** With the line breaks as they are, or escaped, as in a text that holds it as JSON. */
const FROM_LAST_LINES = new RegExp(`(\\n|\\\\n)${LAST_LINES}\\1.*`, 's');

/** A sentence, and below it what was said last: its first line is the sentence alone. */
export function withLastLines(sentence: string, { lastLines }: Pick<Ending, 'lastLines'>): string {
  return lastLines.length === 0 ? sentence : [sentence, LAST_LINES, ...lastLines].join('\n');
}

/** The sentence without what was said last, for those who may not see it. */
export function withoutLastLines(text: string): string {
  return text.replace(FROM_LAST_LINES, '');
}

function inWords(exit: Exit): string {
  if (exit.outOfMemory && signalOf(exit) === 'SIGKILL') return 'the kernel killed it for want of memory';
  const also = exit.outOfMemory ? '; while it ran the kernel killed a process for want of memory' : '';
  return `${endInWords(exit)}${also}`;
}

function endInWords({ code, signal }: Exit): string {
  if (code === null) return `killed by ${signal ?? 'a signal'}`;
  const meaning = HOPELESS[code] ?? (SIGNALS[code] && `killed by ${SIGNALS[code]}`);
  return meaning === undefined ? `exit code ${code}` : `exit code ${code} (${meaning})`;
}

function signalOf({ code, signal }: Exit): string | null {
  return signal ?? SIGNALS[code ?? 0] ?? null;
}

/** The exit codes of every command. */
export const EXIT = {
  ok: { code: 0, about: 'Stopped as asked: every request that was accepted has finished.' },
  failed: {
    code: 1,
    about: 'It could not start, broke, or found something fatal. What it printed says why.',
  },
  usage: { code: 2, about: 'An unknown command, backend or option, or a setting that is wrong.' },
  cut: { code: 3, about: 'Requests were still under way when the time for draining was over.' },
  portTaken: { code: 69, about: 'A port on which it was to listen is taken by another program.' },
  update: {
    code: 75,
    about: 'It has made way for an update that the autoscaler asked for: start it with the new code.',
  },
  interrupted: { code: 130, about: 'Stopped at once by a second Ctrl-C (SIGINT).' },
  quit: { code: 131, about: 'Stopped at once by SIGQUIT.' },
  terminated: { code: 143, about: 'Stopped at once by a second SIGTERM.' },
} as const;

/** What the user can mend: told in one line, without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.usage.code) {
    super(message);
    this.exitCode = exitCode;
  }
}

import { defineBackend } from 'tsworker';

/** What the worker is started with, as far as it is needed here. */
interface Settings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly preset?: string;
}

export default ({ env, preset = 'small' }: Settings) =>
  defineBackend({
    name: `settings-${preset}`,
    maxPerf: preset === 'small' ? 10 : 100,
    routes: {
      '/greet': { handle: () => env.GREETING ?? 'Hello' },
    },
  });

import type { Config } from '../config/index.js';
import type { Dialect } from '../dialects/dialect.js';
import { redactorFor } from '../redact.js';
import { createFetchKey } from './fetch-key.js';
import { createReportAgent } from './post.js';
import { createPostCompletions } from './post-completions.js';
import { createSend, type SendOptions } from './send.js';

export interface ChannelOptions
  extends Pick<SendOptions, 'now' | 'ledger' | 'present' | 'observed' | 'url' | 'onDiskMeasured'> {
  readonly dialect: Dialect;
  readonly config: Config;
  /** Throws when it is no key that signatures can be checked with. */
  readonly checkKey: (pem: string) => void;
}

const CONNECT_TIMEOUT_MS = 2_000;

/** The way to the autoscaler: the effects behind the machines that talk to it, over connections of their own. */
export function createChannel({ dialect, config, checkKey, ...facts }: ChannelOptions) {
  const dispatcher = createReportAgent(CONNECT_TIMEOUT_MS);
  const { reportTimeoutMs: timeoutMs, masterToken: mtoken, containerId: id = 0 } = config;
  const sender = { id, mtoken, timeoutMs, dispatcher };
  return {
    send: createSend({ dialect, redact: redactorFor(config), ...sender, ...facts }),
    post: createPostCompletions({ ...sender, form: config.finishedForm, now: facts.now }),
    fetchKey: createFetchKey({ timeoutMs, dispatcher, check: checkKey }),
    close: () => dispatcher.destroy(),
  };
}

export type Channel = ReturnType<typeof createChannel>;

import type { MessageRecord } from './messages.js';

/** Where messages come from: those remembered, and those to come. */
export interface MessageSource {
  messages(): readonly MessageRecord[];
  on(event: 'message', listener: (message: MessageRecord) => void): unknown;
  on(event: 'stopped', listener: () => void): unknown;
  off(event: 'message', listener: (message: MessageRecord) => void): unknown;
  off(event: 'stopped', listener: () => void): unknown;
}

/**
 * The first message that matches, among those remembered (oldest first) and then those to come.
 * Rejects after `timeoutMs`, and when the autoscaler is stopped.
 */
export function waitForMessage(
  source: MessageSource,
  matches: (message: MessageRecord) => boolean,
  timeoutMs: number,
): Promise<MessageRecord> {
  const known = source.messages().find(matches);
  if (known !== undefined) return Promise.resolve(known);

  return new Promise((resolve, reject) => {
    const onMessage = (message: MessageRecord): void => {
      try {
        if (matches(message)) finish(() => resolve(message));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const onStopped = (): void => finish(() => reject(new Error('The local autoscaler was stopped.')));
    const timer = setTimeout(() => {
      finish(() => reject(new Error(`No message matched within ${timeoutMs} ms.`)));
    }, timeoutMs);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      source.off('message', onMessage);
      source.off('stopped', onStopped);
      settle();
    };
    source.on('message', onMessage);
    source.on('stopped', onStopped);
  });
}

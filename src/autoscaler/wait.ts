import type { LocalAutoscaler } from './autoscaler.js';
import type { MessageRecord } from './messages.js';

/**
 * The first message that matches, among those remembered (oldest first) and then those to come.
 * Rejects after `timeoutMs`, and when the autoscaler is stopped.
 */
export function waitForMessage(
  autoscaler: LocalAutoscaler,
  matches: (message: MessageRecord) => boolean,
  timeoutMs: number,
): Promise<MessageRecord> {
  const known = autoscaler.messages().find(matches);
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
      autoscaler.off('message', onMessage);
      autoscaler.off('stopped', onStopped);
      settle();
    };
    autoscaler.on('message', onMessage);
    autoscaler.on('stopped', onStopped);
  });
}

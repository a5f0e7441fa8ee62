import { LocalAutoscaler, type LocalAutoscalerOptions } from '../autoscaler/index.js';
import { FaultPlan } from './fault-plan.js';

/**
 * The local autoscaler on a free port, to test against: it fails as it is told, and remembers what it got
 * (`messages()`, `completions()`, `waitForMessage()`).
 *
 * @example
 * await using autoscaler = await startTestAutoscaler();
 * autoscaler.faults.next(500, { times: 3 });
 */
export class TestAutoscaler extends LocalAutoscaler {
  readonly faults: FaultPlan;

  constructor(options: Omit<LocalAutoscalerOptions, 'fault'> = {}) {
    const faults = new FaultPlan();
    super({ port: 0, reportIntervalMs: 1_000, ...options, fault: faults.take });
    this.faults = faults;
  }

  /** Cuts every connection and refuses new ones, until it takes them again. */
  refuse(): Promise<void> {
    return this.stop();
  }

  /** Takes connections again, at the same address. */
  accept(): Promise<void> {
    return this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

export async function startTestAutoscaler(
  options: Omit<LocalAutoscalerOptions, 'fault'> = {},
): Promise<TestAutoscaler> {
  const autoscaler = new TestAutoscaler(options);
  await autoscaler.start();
  return autoscaler;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The secrets that are the worker's or the instance's own: the token shared with the autoscaler, the keys of the
 * accounts, and whatever the worker's own settings hold. A model's tokens, such as HF_TOKEN, are not among them.
 */
const OF_THE_WORKER =
  /^(?:MASTER_TOKEN|VAST_API_KEY|CONTAINER_API_KEY|TSWORKER_\w*(?:TOKEN|KEY|SECRET|PASSWORD))$/;

/** What of the worker's environment its model server gets. */
export function modelEnvironment(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OF_THE_WORKER.test(name)));
}

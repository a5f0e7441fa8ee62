export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The secrets that are the worker's or the instance's own: the token shared with the autoscaler, the keys of the
 * accounts, and whatever the worker's own settings hold. A model's tokens, such as HF_TOKEN, are not among them.
 */
const OF_THE_WORKER =
  /^(?:MASTER_TOKEN|VAST_API_KEY|CONTAINER_API_KEY|TSWORKER_\w*(?:TOKEN|KEY|SECRET|PASSWORD))$/;

const SECRET = /(?:TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;

/** Shorter values are found in any text by chance. */
const SECRET_CHARACTERS = 8;

/** What of the worker's environment its model server gets. */
export function modelEnvironment(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OF_THE_WORKER.test(name)));
}

/** Takes the values of everything in the environment that is named as a secret out of texts. */
export function redactor(env: Environment): (text: string) => string {
  const secrets = Object.entries(env)
    .filter(([name]) => SECRET.test(name))
    .map(([, value = '']) => value)
    .filter((value) => value.length >= SECRET_CHARACTERS)
    // One may begin as another does.
    .toSorted((one, other) => other.length - one.length);
  return (text) => secrets.reduce((left, secret) => left.replaceAll(secret, '[redacted]'), text);
}

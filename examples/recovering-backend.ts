import { defineBackend } from 'tsworker';

/** Stands for a model that runs in this process. */
class Model {
  broken = false;
  answer(question: string): string {
    if (question === 'break') this.broken = true;
    return this.broken ? '' : `An answer to ${question}`;
  }
  async repair(): Promise<void> {
    this.broken = false;
  }
}

export default defineBackend({
  name: 'recovering',
  maxPerf: 10,
  init: async ({ signal, log, fail, recovered }) => {
    const model = new Model();
    const watch = setInterval(async () => {
      if (!model.broken) return;
      fail('the model is broken'); // told at once, and nothing new is accepted
      await model.repair();
      log.info('the model is repaired');
      recovered(); // serves again
    }, 100);
    signal.addEventListener('abort', () => clearInterval(watch)); // when it is loaded anew, or the worker stops
    return { model };
  },
  routes: {
    '/ask': {
      parseRequest: (json: unknown) => {
        if (typeof json === 'object' && json !== null && 'question' in json) return String(json.question);
        throw new Error('question: is missing');
      },
      handle: ({ state, body }) => ({ answer: state.model.answer(body) }),
    },
  },
});

import { asObject, countIn, type JsonObject, type Kind, objectIn } from './kind.js';

/** The wrapper that waits for ComfyUI's image. Its tokens are the steps of the sampler. */
export const comfyui: Kind = {
  preset: 'comfyui',
  health: ['/health'],
  facts: {},
  work: {
    '/generate/sync': (body, { requestId }) => {
      const { request_id: given } = objectIn(body, 'input');
      const id = typeof given === 'string' && given !== '' ? given : `job-${requestId}`;
      return {
        asked: stepsOf(body),
        whole: () => ({
          id,
          status: 'completed',
          message: 'Process complete.',
          output: [{ filename: `${id}_00001_.png`, subfolder: id, type: 'output' }],
        }),
      };
    },
  },
  error: (status, message) => ({ id: null, status: 'failed', message, code: status }),
};

/** A request brings a modifier and its settings, or a whole workflow with a sampler somewhere in it. */
function stepsOf(body: JsonObject): number | undefined {
  const input = objectIn(body, 'input');
  const nodes = Object.values(objectIn(input, 'workflow_json')).map((node) => asObject(node) ?? {});
  const given = [objectIn(input, 'modifications'), ...nodes.map((node) => objectIn(node, 'inputs'))];
  return given.map((each) => countIn(each, 'steps')).find((steps) => steps !== undefined);
}

import { countIn, type Kind } from './kind.js';

/** The older API of text-generation-webui. */
export const ooba: Kind = {
  preset: 'ooba',
  // It has no route for health alone.
  health: ['/api/v1/model'],
  facts: { '/api/v1/model': ({ modelName }) => ({ result: modelName }) },
  work: {
    '/api/v1/generate': (body) => ({
      asked: countIn(body, 'max_new_tokens') ?? countIn(body, 'max_tokens'),
      whole: (tokens) => ({ results: [{ text: tokens.join('') }] }),
    }),
  },
  error: (status, message) => ({ error: message, code: status }),
};

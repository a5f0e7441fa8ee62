import { countIn, type Kind } from './kind.js';

/** A picture of one transparent pixel. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

/** The web UI of Stable Diffusion. Its tokens are the steps of the sampler. */
export const sdwebui: Kind = {
  preset: 'sdwebui',
  health: ['/health', '/internal/ping'],
  facts: {},
  work: {
    '/sdapi/v1/txt2img': (body, { requestId }) => ({
      asked: countIn(body, 'steps'),
      whole: () => ({
        images: Array.from({ length: countIn(body, 'batch_size') ?? 1 }, () => PNG),
        parameters: body,
        info: JSON.stringify({ prompt: body.prompt ?? '', seed: countIn(body, 'seed') ?? requestId }),
      }),
    }),
  },
  error: (status, message) => ({ error: 'FakeError', detail: message, body: '', errors: '', code: status }),
};

import type { Backend, DialectName } from '../src/backend/index.js';

/** What a backend may be made by. A user's own file that exports a function by default gets the same. */
export interface LoadSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `TSWORKER_PRESET`: which engine the model server is. */
  readonly preset?: string | undefined;
  /** `MODEL_NAME` */
  readonly modelName?: string | undefined;
  /** `MODEL_SERVER_URL` */
  readonly modelServerUrl?: string | undefined;
  /** `TSWORKER_DIALECT` */
  readonly dialect?: DialectName | undefined;
  /** `TSWORKER_FUNCTIONS`: the path of the file whose functions are served. */
  readonly functions?: string | undefined;
}

/** What is needed to load one that comes with the package. */
export interface PackagedSettings extends LoadSettings {
  /** Imports a module of the user by the path of its file, TypeScript included. */
  readonly importModule: (path: string) => Promise<Readonly<Record<string, unknown>>>;
}

export interface BackendEntry {
  /** One line that says what the backend is for, known without loading it. */
  readonly description: string;
  /** Rejects with an error whose message tells the user what is wrong with the settings. */
  readonly load: (settings: PackagedSettings) => Promise<Backend>;
}

/** Every backend that comes with the package, by name. One is loaded only when it is run. */
export const backends: Readonly<Record<string, BackendEntry>> = {
  helloautoscaler: {
    description: 'counts, and reports each request as one unit of work',
    load: async () => (await import('./helloautoscaler.js')).default,
  },
  helloworld: {
    description: 'counts, and reports nothing',
    load: async () => (await import('./helloworld.js')).default,
  },
  openai: {
    description: 'in front of vLLM, SGLang, llama.cpp or ollama',
    load: async (settings) => (await import('./openai.js')).openai(settings),
  },
  tgi: {
    description: 'in front of Text Generation Inference',
    load: async (settings) => (await import('./tgi.js')).tgi(settings),
  },
  comfyui: {
    description: 'in front of the API wrapper of ComfyUI',
    load: async (settings) => (await import('./comfyui.js')).comfyui(settings),
  },
  sdwebui: {
    description: 'in front of the web UI of Stable Diffusion',
    load: async () => (await import('./sdwebui.js')).sdwebui(),
  },
  ooba: {
    description: 'in front of text-generation-webui, in the legacy dialect',
    load: async () => (await import('./ooba.js')).ooba(),
  },
  function: {
    description: 'serves the functions of a file of yours, without a model server',
    load: async ({ functions, importModule }) => {
      if (!functions) {
        throw new Error(
          'function needs --functions or TSWORKER_FUNCTIONS: the file whose exported functions are served.',
        );
      }
      const { functionBackend } = await import('./function.js');
      return functionBackend(await importModule(functions));
    },
  },
};

/** How the log of one engine reads. */
interface EngineLines {
  readonly starting: readonly string[];
  /** The line that says that the model is loaded. */
  loaded(facts: LineFacts): string;
  /** What it says when the memory is used up. */
  readonly outOfMemory: string;
}

export interface LineFacts {
  readonly url: string;
  readonly loadTimeMs: number;
  /** The time of the line, as ISO 8601. */
  readonly at: string;
}

const CUDA_OUT_OF_MEMORY = 'CUDA out of memory. Tried to allocate 2.00 GiB.';

export const PRESETS = {
  vllm: {
    starting: ['INFO 01-01 00:00:00 [api_server.py:1] vLLM API server version 0.0.0-fake'],
    loaded: () => 'INFO:     Application startup complete.',
    outOfMemory: `ERROR 01-01 00:00:00 [core.py:1] torch.OutOfMemoryError: ${CUDA_OUT_OF_MEMORY}`,
  },
  sglang: {
    starting: ['[2026-01-01 00:00:00] Load weight begin. avail mem=1.00 GB'],
    loaded: () => '[2026-01-01 00:00:00] The server is fired up and ready to roll!',
    outOfMemory: `[2026-01-01 00:00:00] Scheduler hit an exception: torch.OutOfMemoryError: ${CUDA_OUT_OF_MEMORY}`,
  },
  llamacpp: {
    starting: ['main: loading model'],
    loaded: ({ url }) => `main: server is listening on ${url} - starting the main loop`,
    outOfMemory:
      'ggml_backend_cuda_buffer_type_alloc_buffer: allocating 2048.00 MiB on device 0: out of memory',
  },
  ollama: {
    starting: ['time=2026-01-01T00:00:00.000Z level=INFO source=images.go:1 msg="total blobs: 5"'],
    loaded: ({ url }) =>
      `time=2026-01-01T00:00:00.000Z level=INFO source=routes.go:1 msg="Listening on ${hostOf(url)} (version 0.0.0)"`,
    outOfMemory:
      'time=2026-01-01T00:00:00.000Z level=ERROR source=server.go:1 msg="llama runner: out of memory"',
  },
  tgi: {
    starting: [
      '{"timestamp":"2026-01-01T00:00:00Z","level":"INFO","fields":{"message":"Starting Webserver"}}',
    ],
    loaded: ({ at }) =>
      JSON.stringify({
        timestamp: at,
        level: 'INFO',
        message: 'Connected',
        target: 'text_generation_router::server',
        filename: 'router/src/server.rs',
        line_number: 1,
      }),
    outOfMemory: `{"timestamp":"2026-01-01T00:00:00Z","level":"ERROR","message":"Server error: ${CUDA_OUT_OF_MEMORY}"}`,
  },
  'tgi-text': {
    starting: ['2026-01-01T00:00:00Z  INFO text_generation_router: Starting Webserver'],
    loaded: ({ at }) => `${at}  INFO text_generation_router::server: router/src/server.rs:1: Connected`,
    outOfMemory: `2026-01-01T00:00:00Z ERROR text_generation_router: Server error: ${CUDA_OUT_OF_MEMORY}`,
  },
  sdwebui: {
    starting: [
      'Launching Web UI with arguments: --api',
      'Loading weights [0000000000] from model.safetensors',
    ],
    loaded: ({ loadTimeMs }) => `Model loaded in ${seconds(loadTimeMs)}s (load weights from disk: 0.1s).`,
    outOfMemory: `OutOfMemoryError: ${CUDA_OUT_OF_MEMORY}`,
  },
  comfyui: {
    starting: ['Total VRAM 1024 MB, total RAM 1024 MB', 'Starting server'],
    loaded: ({ url }) => `To see the GUI go to: ${url}`,
    outOfMemory: `!!! Exception during processing !!! ${CUDA_OUT_OF_MEMORY}`,
  },
  ooba: {
    starting: ['INFO:Loading the model'],
    loaded: ({ loadTimeMs }) => `INFO:Loaded the model in ${seconds(loadTimeMs)} seconds.`,
    outOfMemory: `torch.cuda.OutOfMemoryError: ${CUDA_OUT_OF_MEMORY}`,
  },
} as const satisfies Record<string, EngineLines>;

/** The engine whose log is imitated. */
export type Preset = keyof typeof PRESETS;

export function isPreset(name: string): name is Preset {
  return Object.hasOwn(PRESETS, name);
}

/** Everything that may be in the log of an engine in good health and alarms who reads it badly. */
export function chatter(preset: Preset, text: string): readonly string[] {
  return [
    `${preset}: received a request: ${JSON.stringify(text)}`,
    `${preset}: prompt: 'Traceback (most recent call last):\\n RuntimeError: CUDA out of memory'`,
    ...Array.from({ length: 20 }, (_, index) => `${preset}: progress ${index * 5} %`),
  ];
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function hostOf(url: string): string {
  return new URL(url).host;
}

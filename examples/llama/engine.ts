import {
  getLlama,
  type Llama,
  LlamaCompletion,
  type LlamaContextSequence,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp';
import { Places } from './places.js';

/** How many tokens the model sees at once. */
const CONTEXT_TOKENS = 256;

/** How many texts are generated at once. Others wait. */
const SEQUENCES = 4;

/** The longest prompt: the engine keeps a tenth of the context for what it generates. */
export const LONGEST_PROMPT = CONTEXT_TOKENS - Math.ceil(CONTEXT_TOKENS / 10);

export interface Wanted {
  /** At the most {@link LONGEST_PROMPT}. */
  readonly prompt: readonly Token[];
  /** May be more than the context holds: what is oldest is forgotten then. */
  readonly maxTokens: number;
  /** 0 takes the likeliest token each time. */
  readonly temperature: number;
  readonly topP: number | undefined;
  readonly seed: number | undefined;
  /** Texts that end the generation. */
  readonly stop: readonly string[];
}

export interface Generated {
  readonly text: string;
  readonly tokens: number;
  readonly finishReason: 'stop' | 'length';
}

export interface Stats {
  readonly generating: number;
  readonly waiting: number;
  readonly completed: number;
  /** Of those that had begun, and those that still waited. */
  readonly aborted: number;
  /** Tokens generated up to now. */
  readonly tokens: number;
}

/** A language model on one thread: two were slower by far on two cores. */
export class Engine {
  readonly name: string;
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #sequences: Places<LlamaContextSequence>;
  readonly #running = new Set<Promise<Generated>>();
  #generating = 0;
  #completed = 0;
  #aborted = 0;
  #tokens = 0;

  /** Loads a GGUF file. Rejects when it can't. */
  static async load(modelPath: string): Promise<Engine> {
    const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1, progressLogs: false });
    const model = await llama.loadModel({ modelPath });
    const context = await model.createContext({ contextSize: CONTEXT_TOKENS, sequences: SEQUENCES });
    const sequences = Array.from({ length: SEQUENCES }, () => context.getSequence());
    return new Engine(llama, model, sequences);
  }

  private constructor(llama: Llama, model: LlamaModel, sequences: readonly LlamaContextSequence[]) {
    this.#llama = llama;
    this.#model = model;
    this.#sequences = new Places(sequences);
    this.name = (model.filename ?? 'model').replace(/\.gguf$/, '');
  }

  get stats(): Stats {
    return {
      generating: this.#generating,
      waiting: this.#sequences.waiting,
      completed: this.#completed,
      aborted: this.#aborted,
      tokens: this.#tokens,
    };
  }

  tokenize(text: string): readonly Token[] {
    const tokens = this.#model.tokenize(text);
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    return shouldPrependBosToken && bos !== null ? [bos, ...tokens] : tokens;
  }

  /** Generates until it is done, or until the signal aborts: then it rejects with the signal's reason. */
  async generate(wanted: Wanted, signal: AbortSignal, onText: (text: string) => void): Promise<Generated> {
    const running = this.#sequences.use(signal, (sequence) =>
      this.#generate(sequence, wanted, signal, onText),
    );
    this.#running.add(running);
    try {
      const generated = await running;
      this.#completed++;
      return generated;
    } catch (error) {
      if (signal.aborted) this.#aborted++;
      throw error;
    } finally {
      this.#running.delete(running);
    }
  }

  /** To be called when nothing is asked for any more: it waits for what still runs. */
  async dispose(): Promise<void> {
    // The engine crashes when it is taken away in the middle of a token.
    await Promise.allSettled(this.#running);
    await this.#llama.dispose();
  }

  async #generate(
    sequence: LlamaContextSequence,
    { prompt, maxTokens, temperature, topP, seed, stop }: Wanted,
    signal: AbortSignal,
    onText: (text: string) => void,
  ): Promise<Generated> {
    let tokens = 0;
    const completion = new LlamaCompletion({ contextSequence: sequence });
    this.#generating++;
    try {
      await sequence.clearHistory();
      const { response, metadata } = await completion.generateCompletionWithMeta([...prompt], {
        maxTokens,
        temperature,
        signal,
        customStopTriggers: stop,
        onTextChunk: onText,
        onToken: (generated) => {
          tokens += generated.length;
          this.#tokens += generated.length;
        },
        ...(topP !== undefined && { topP }),
        ...(seed !== undefined && { seed }),
      });
      return {
        text: response,
        tokens,
        finishReason: metadata.stopReason === 'maxTokens' ? 'length' : 'stop',
      };
    } finally {
      this.#generating--;
      completion.dispose({ disposeSequence: false });
    }
  }
}

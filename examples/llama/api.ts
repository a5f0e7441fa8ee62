import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { BadRequest } from './bad-request.js';
import { type Engine, LONGEST_PROMPT } from './engine.js';
import { CHAT, COMPLETION, endEvents, errorBody, type Form, textEvent, wholeAnswer } from './form.js';
import { chatInput, completionInput, type Input } from './input.js';

const BODY_LIMIT_BYTES = 1024 * 1024;

/** The client went. */
class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** Answers like llama.cpp's own server. Until the engine is there, everything is 503. */
export function createApi(engineOf: () => Engine | undefined, log: (line: string) => void): RequestListener {
  let lastId = 0;

  return (request, response) => {
    void answer(request, response).catch((error: unknown) => {
      // Nobody is left to be told anything.
      if (error instanceof ClientGone || response.destroyed) return;
      const status = error instanceof BadRequest ? error.status : 500;
      const message = error instanceof Error ? error.message : String(error);
      if (status === 500) log(`srv: error: ${message}`);
      // A stream that breaks off must not look like one that ended.
      if (response.headersSent) response.destroy();
      else answerJson(response, status, errorBody(status, message));
    });
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const engine = engineOf();
    if (engine === undefined) throw new BadRequest('Loading model', 503);
    switch (`${request.method} ${path}`) {
      case 'GET /health':
        return answerJson(response, 200, { status: 'ok' });
      case 'GET /stats':
        return answerJson(response, 200, engine.stats);
      case 'GET /v1/models':
        return answerJson(response, 200, {
          object: 'list',
          data: [{ id: engine.name, object: 'model', created: 0, owned_by: 'tsworker' }],
        });
      case 'POST /v1/completions':
        return generate(engine, response, COMPLETION, completionInput(await readBody(request)));
      case 'POST /v1/chat/completions':
        return generate(engine, response, CHAT, chatInput(await readBody(request)));
      default:
        throw new BadRequest(`There is no ${request.method} ${path} here.`, 404);
    }
  }

  async function generate(engine: Engine, response: ServerResponse, form: Form, input: Input): Promise<void> {
    const prompt = engine.tokenize(input.prompt);
    if (prompt.length > LONGEST_PROMPT) {
      throw new BadRequest(`The prompt has ${prompt.length} tokens; at most ${LONGEST_PROMPT} fit.`);
    }
    const answering = { form, id: ++lastId, modelName: engine.name, promptTokens: prompt.length };
    const onText = (text: string) => {
      if (!input.stream) return;
      beginStream(response);
      response.write(textEvent(answering, text));
    };
    const generated = await engine.generate({ ...input, prompt }, signalOf(response), onText);
    log(`slot: ${form.idPrefix}-${answering.id}: ${prompt.length} + ${generated.tokens} tokens`);
    if (!input.stream) return answerJson(response, 200, wholeAnswer(answering, generated));
    beginStream(response);
    response.end(endEvents(answering, generated, input.streamUsage));
  }
}

/** Aborts when the client goes before it has the whole answer. */
function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const gone = () => {
    if (!response.writableFinished) controller.abort(new ClientGone());
  };
  if (response.destroyed) gone();
  else response.once('close', gone);
  return controller.signal;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > BODY_LIMIT_BYTES) throw new BadRequest('The body is larger than 1 MiB.', 413);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The headers go with the first text, so that a client sees how long it took. */
function beginStream(response: ServerResponse): void {
  if (response.headersSent) return;
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
}

function answerJson(response: ServerResponse, status: number, value: object): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
}

import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown;
}

/** One request over a connection of its own, with exactly the headers and the path that are given. */
export function send(port: number, path: string, { method = 'GET', headers = {}, body }: Sent = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const given = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
    );
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers: given, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      text(response).then((received) => {
        const isJson = response.headers['content-type']?.startsWith('application/json');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: isJson && received !== '' ? JSON.parse(received) : received,
        });
      }, reject);
    });
    outgoing.end(body);
  });
}

/** Posts a value as JSON. */
export function post(port: number, path: string, body: unknown): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return send(port, path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** A bare connection: what came in so far, and how it ended. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  received = '';
  ended = 'open';
  readonly #watchers = new Set<() => void>();

  constructor(port: number) {
    // The client decides itself when its side is closed.
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (chunk: string) => {
      this.received += chunk;
      this.#look();
    });
    this.socket.on('end', () => {
      this.ended = 'ended';
      this.#look();
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.ended = error.code ?? error.message;
    });
    this.closed = new Promise((resolve) =>
      this.socket.on('close', () => {
        if (this.ended === 'open') this.ended = 'closed';
        this.#look();
        resolve();
      }),
    );
    onTestFinished(() => {
      this.socket.destroy();
    });
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  /** Resolves when the received text matches, or when nothing more can come. */
  until(pattern: RegExp): Promise<string> {
    return this.#when(() => pattern.test(this.received));
  }

  /** Resolves when the server has closed its side. */
  untilEnd(): Promise<string> {
    return this.#when(() => false);
  }

  async #when(done: () => boolean): Promise<string> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.ended === 'open' && !done()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
    return this.received;
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** The answers in what a connection received, in order. */
export function answersIn(received: string): Answer[] {
  const answers: Answer[] = [];
  let rest = received;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const length = Number(headers['content-length'] ?? 0);
    const body = rest.slice(end + 4, end + 4 + length);
    const isJson = headers['content-type']?.startsWith('application/json');
    answers.push({
      status: Number(statusLine.split(' ')[1]),
      headers,
      body: isJson ? JSON.parse(body) : body,
    });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

/** Posts JSON with fetch, as a user's program would. A string goes as it is. */
export function postJson(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

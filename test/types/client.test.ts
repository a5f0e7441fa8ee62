import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type Answer,
  type BytesOptions,
  type CallFacts,
  type CallOptions,
  type CLIENT_ERRORS,
  type ClientErrorCode,
  type ClientEventName,
  type ClientEvents,
  type Endpoint,
  type EndpointInfo,
  type EndpointWorker,
  type Failure,
  type RequestOptions,
  Serverless,
  type ServerlessError,
  type ServerlessOptions,
  type Session,
  type SessionInfo,
  type SessionOptions,
  type SessionRequestOptions,
  type SessionStreamOptions,
  type StreamEvent,
  type StreamOptions,
} from '../../src/client/index.js';

interface Completion {
  readonly text: string;
}

type NamesWithCallFacts = {
  [N in ClientEventName]: ClientEvents[N] extends CallFacts ? N : never;
}[ClientEventName];

/** Never called: what counts is what compiles. */
async function right(client: Serverless, endpoint: Endpoint, session: Session) {
  expectTypeOf(await client.endpoint('e')).toEqualTypeOf<Endpoint>();
  expectTypeOf(await client.endpoints()).toEqualTypeOf<readonly EndpointInfo[]>();
  expectTypeOf(await endpoint.workers()).toEqualTypeOf<readonly EndpointWorker[]>();
  expectTypeOf(endpoint.name).toEqualTypeOf<string>();

  // A body is unknown until somebody says what it is: the caller, or parse.
  expectTypeOf(await endpoint.request('/x', {})).toEqualTypeOf<Answer<unknown>>();
  expectTypeOf(await endpoint.request<Completion>('/x', {})).toEqualTypeOf<Answer<Completion>>();
  const parse = (body: unknown): Completion => ({ text: String(body) });
  expectTypeOf(await endpoint.request('/x', {}, { parse })).toEqualTypeOf<Answer<Completion>>();
  expectTypeOf(await session.request('/x', {}, { parse })).toEqualTypeOf<Answer<Completion>>();
  for await (const event of endpoint.stream('/x', {})) {
    expectTypeOf(event).toEqualTypeOf<StreamEvent<unknown>>();
  }
  for await (const piece of endpoint.bytes('/x', '{}', { cost: 7 })) {
    expectTypeOf(piece).toEqualTypeOf<Uint8Array>();
  }
  for await (const { data } of session.stream('/x', {}, { parse, idleTimeout: 5 })) {
    expectTypeOf(data).toEqualTypeOf<Completion>();
  }
  {
    await using held = await endpoint.session({ cost: 1, lifetime: 60, onCloseRoute: '/close' });
    expectTypeOf(held).toEqualTypeOf<Session>();
    expectTypeOf(await held.isAlive()).toEqualTypeOf<boolean>();
    expectTypeOf(await held.info()).toEqualTypeOf<SessionInfo>();
  }
  const off = client.on('retry', (event) => {
    expectTypeOf(event).toEqualTypeOf<ClientEvents['retry']>();
    expectTypeOf(event.error).toEqualTypeOf<Failure>();
    expectTypeOf(event.pauseMs).toEqualTypeOf<number>();
  });
  expectTypeOf(off).toEqualTypeOf<() => void>();
}

/** Never called either. */
function wrong(client: Serverless, endpoint: Endpoint, session: Session) {
  // @ts-expect-error a key is needed
  new Serverless({ autoscalerUrl: 'http://127.0.0.1:8080' });
  // @ts-expect-error the name of an option is wrong
  new Serverless({ apiKey: 'k', autoscalerURL: 'http://127.0.0.1:8080' });
  // @ts-expect-error times are numbers
  new Serverless({ apiKey: 'k', timeout: '1m' });
  // @ts-expect-error an endpoint has a name
  void client.endpoint();
  // @ts-expect-error a request has a payload
  void endpoint.request('/x');
  // @ts-expect-error a cost is a number
  void endpoint.request('/x', {}, { cost: '7' });
  // @ts-expect-error what is aborted with is a signal
  void endpoint.request('/x', {}, { signal: new AbortController() });
  // @ts-expect-error parse makes a number, and text is wanted
  void endpoint.request<string>('/x', {}, { parse: () => 7 });
  // @ts-expect-error a request has no idle time
  void endpoint.request('/x', {}, { idleTimeout: 7 });
  // @ts-expect-error what goes out as it is is text
  void endpoint.bytes('/x', {});
  // @ts-expect-error in a session the work is that of the session
  void session.request('/x', {}, { cost: 7 });
  // @ts-expect-error there is no such event
  client.on('routing', () => {});
  client.on('routed', (event) => {
    // @ts-expect-error what has happened can't be changed
    event.worker = '';
  });
  // @ts-expect-error the name can't be changed
  endpoint.name = 'other';
}

it('what is right compiles, and what is wrong does not', () => {
  expectTypeOf(right).toBeFunction();
  expectTypeOf(wrong).toBeFunction();
});

describe('what is public', () => {
  it('has these types', () => {
    expectTypeOf<ClientErrorCode>().toEqualTypeOf<keyof typeof CLIENT_ERRORS>();
    expectTypeOf<ServerlessError['code']>().toEqualTypeOf<ClientErrorCode>();
    expectTypeOf<ServerlessError['body']>().toEqualTypeOf<unknown>();
    expectTypeOf<ServerlessError['status']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<ClientEventName>().toEqualTypeOf<
      'waiting' | 'routed' | 'retry' | 'ended' | 'sessionEnded'
    >();
    expectTypeOf<ClientEvents['ended']['outcome']>().toEqualTypeOf<'succeeded' | 'failed' | 'left'>();
    expectTypeOf<RequestOptions>().toExtend<CallOptions>();
    expectTypeOf<StreamOptions>().toExtend<RequestOptions>();
    expectTypeOf<keyof RequestOptions>().toEqualTypeOf<
      'signal' | 'timeout' | 'cost' | 'maxRetries' | 'parse'
    >();
    expectTypeOf<BytesOptions>().toEqualTypeOf<Omit<RequestOptions, 'parse'>>();
    expectTypeOf<keyof StreamOptions>().toEqualTypeOf<keyof RequestOptions | 'idleTimeout'>();
    expectTypeOf<keyof SessionOptions>().toEqualTypeOf<
      keyof CallOptions | 'cost' | 'lifetime' | 'onCloseRoute' | 'onClosePayload'
    >();
    expectTypeOf<SessionRequestOptions<Completion>>().toEqualTypeOf<
      Omit<RequestOptions<Completion>, 'cost'>
    >();
    expectTypeOf<SessionStreamOptions<Completion>>().toEqualTypeOf<Omit<StreamOptions<Completion>, 'cost'>>();
    expectTypeOf<CallFacts>().toEqualTypeOf<{
      readonly call: number;
      readonly endpoint: string;
      readonly path: string;
    }>();
    expectTypeOf<Exclude<ClientEventName, 'sessionEnded'>>().toEqualTypeOf<NamesWithCallFacts>();
    expectTypeOf<keyof ServerlessOptions>().toEqualTypeOf<
      'apiKey' | 'autoscalerUrl' | 'webUrl' | 'timeout' | 'routeTimeout' | 'backOff' | 'fetch'
    >();
    expectTypeOf<keyof Serverless>().toEqualTypeOf<'endpoint' | 'endpoints' | 'on'>();
    expectTypeOf<keyof Endpoint>().toEqualTypeOf<
      'id' | 'name' | 'info' | 'request' | 'stream' | 'bytes' | 'session' | 'workers'
    >();
    expectTypeOf<keyof Session>().toEqualTypeOf<
      'id' | 'worker' | 'request' | 'stream' | 'isAlive' | 'info' | 'end' | typeof Symbol.asyncDispose
    >();
    expectTypeOf<Session>().toExtend<AsyncDisposable>();
  });
});

/** What a file takes from others, or passes on from them, by name. */
function namesIn(url: URL, of: (statement: ts.Statement) => ts.Node | undefined): string[] {
  const source = ts.createSourceFile(fileURLToPath(url), readFileSync(url, 'utf8'), ts.ScriptTarget.Latest);
  const lists = source.statements.map(of).filter((list) => list !== undefined);
  return lists.flatMap((list) => {
    if (!ts.isNamedExports(list) && !ts.isNamedImports(list))
      throw new Error('Each name is to be written out.');
    return list.elements.map(({ name }) => name.text);
  });
}

// What is imported and not used the linter finds.
it('each export has its place here', () => {
  const exported = namesIn(new URL('../../src/client/index.ts', import.meta.url), (statement) =>
    ts.isExportDeclaration(statement) ? (statement.exportClause ?? statement) : statement,
  );
  const tested = namesIn(new URL(import.meta.url), (statement) =>
    ts.isImportDeclaration(statement) && isOfClient(statement)
      ? statement.importClause?.namedBindings
      : undefined,
  );
  expect(tested.sort()).toEqual(exported.sort());
});

function isOfClient({ moduleSpecifier }: ts.ImportDeclaration): boolean {
  return ts.isStringLiteral(moduleSpecifier) && moduleSpecifier.text === '../../src/client/index.js';
}

export type { Answer } from './answers.js';
export { Endpoint } from './endpoint.js';
export { CLIENT_ERRORS, type ClientErrorCode, type Failure, ServerlessError } from './errors.js';
export type { CallFacts, ClientEventName, ClientEvents } from './events.js';
export type {
  BytesOptions,
  CallOptions,
  RequestOptions,
  ServerlessOptions,
  SessionOptions,
  StreamOptions,
} from './options.js';
export { Serverless } from './serverless.js';
export {
  Session,
  type SessionInfo,
  type SessionRequestOptions,
  type SessionStreamOptions,
} from './session.js';
export type { EndpointInfo, EndpointWorker } from './shapes.js';
export type { StreamEvent } from './stream.js';

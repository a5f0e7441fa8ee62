export { type Behaviour, parseBehaviour } from './behaviour.js';
export { type CrashCause, type FakeModel, type FakeModelOptions, startFakeModel } from './fake-model.js';
export type { KindName } from './kinds.js';
export type { Preset } from './presets.js';
export type { ModelRequest, Outcome } from './request.js';

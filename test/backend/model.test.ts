import { describe, expect, it } from 'vitest';
import { type CompiledModel, defineBackend } from '../../src/backend/index.js';

const URL = 'http://127.0.0.1:8000';

/** As JavaScript calls it: nothing was checked before. */
const define = defineBackend as (definition: unknown) => ReturnType<typeof defineBackend>;
const compile = (model: unknown): CompiledModel | null =>
  define({ name: 'x', maxPerf: 1, model, routes: { '/run': {} } }).model;

describe('a model server that can not be one is refused, and what is wrong is named', () => {
  const ADDRESS = '.url must be an http address such as "http://127.0.0.1:8000"';
  const COMMAND = '.command must be a text for a shell, or a list of a program and its arguments';
  const LISTS = 'must be a list of texts, prefixes or regular expressions';

  it.each<[model: unknown, problem: string]>([
    [null, ' must be an object with a url'],
    [URL, ' must be an object with a url'],
    [{}, ADDRESS],
    [{ url: '127.0.0.1:8000' }, ADDRESS],
    [{ url: 'ftp://127.0.0.1' }, ADDRESS],
    [{ url: 'http://user:password@127.0.0.1' }, ADDRESS],
    [{ url: 'http://127.0.0.1/?a=b' }, ADDRESS],
    [{ url: 'http://127.0.0.1:99999' }, ADDRESS],
    [{ url: 8000 }, ADDRESS],
    [{ url: URL, healt: '/health' }, '.healt is unknown; did you mean health?'],
    [{ url: URL, port: 1 }, '.port is unknown; it takes url, command, log, logs, health, readiness'],
    [{ url: URL, command: ' ' }, COMMAND],
    [{ url: URL, command: [] }, COMMAND],
    [{ url: URL, command: ['serve', 8000] }, COMMAND],
    [{ url: URL, command: 7 }, COMMAND],
    [{ url: URL, log: '' }, '.log must be the path of a file'],
    [{ url: URL, log: 7 }, '.log must be the path of a file'],
    [{ url: URL, health: 'health' }, '.health must be a path such as "/health"'],
    [{ url: URL, health: true }, '.health must be a path such as "/health"'],
    [{ url: URL, logs: null }, '.logs must be an object of rules'],
    [{ url: URL, logs: { ready: [] } }, '.logs.ready is unknown; it takes loaded, failed, info'],
    [{ url: URL, logs: { load: [] } }, '.logs.load is unknown; it takes loaded, failed, info'],
    [{ url: URL, logs: { faild: [] } }, '.logs.faild is unknown; did you mean failed?'],
    [{ url: URL, logs: { loaded: 'ready' } }, `.logs.loaded ${LISTS}`],
    [{ url: URL, logs: { failed: [''] } }, `.logs.failed ${LISTS}`],
    [{ url: URL, logs: { info: [7] } }, `.logs.info ${LISTS}`],
    [{ url: URL, logs: { info: [null] } }, `.logs.info ${LISTS}`],
    [{ url: URL, logs: { info: [{ prefix: '' }] } }, `.logs.info ${LISTS}`],
    [{ url: URL, logs: { info: [{ suffix: 'x' }] } }, `.logs.info ${LISTS}`],
    [{ url: URL, readiness: 'none' }, '.readiness must be log, health or both'],
    [{ url: URL, readiness: 'soon' }, '.readiness must be log, health or both'],
  ])('%j', (model, problem) => {
    expect(() => compile(model)).toThrow(new TypeError(`defineBackend: model${problem}`));
  });
});

describe('what tells that a model has loaded', () => {
  it.each<[given: object, readiness: string]>([
    [{}, 'none'],
    [{ log: '/log' }, 'log'],
    [{ health: '/health' }, 'health'],
    [{ log: '/log', health: '/health' }, 'both'],
    [{ command: 'serve' }, 'none'],
    [{ command: ['serve', '--fast'], health: '/health' }, 'health'],
    [{ command: 'serve', logs: { loaded: ['ready'] } }, 'log'],
    [{ command: 'serve', logs: { loaded: ['ready'] }, health: '/health' }, 'health'],
    [{ command: 'serve', logs: { failed: ['no'] } }, 'none'],
    [{ logs: { loaded: ['ready'] } }, 'none'],
    [{ log: '/log', health: '/health', readiness: 'log' }, 'log'],
    [{ log: '/log', health: '/health', readiness: 'health' }, 'health'],
  ])('%j', (given, readiness) => {
    expect(compile({ url: URL, ...given })).toMatchObject({ readiness });
  });

  it('is part of a model with every default filled in', () => {
    expect(compile({ url: URL })).toEqual({
      url: URL,
      command: null,
      log: null,
      logs: {},
      health: null,
      readiness: 'none',
      readinessIsDefault: true,
    });
  });
});

describe('a backend with a model server', () => {
  const backendOf = (more: object) => define({ name: 'x', maxPerf: 1, routes: { '/run': {} }, ...more });

  it('speaks current if nothing else is said, one without legacy', () => {
    const here = { routes: { '/run': { handle: () => 'ok' } } };
    expect([
      backendOf({ model: { url: URL } }).dialect,
      backendOf({ model: { url: URL }, dialect: 'legacy' }).dialect,
      backendOf(here).dialect,
      backendOf(here).model,
    ]).toEqual(['current', 'legacy', 'legacy', null]);
  });

  it.each<[more: object, problem: string]>([
    [{ maxSessions: -1 }, 'maxSessions must be a whole number; 0 is no limit'],
    [{ maxSessions: 1.5 }, 'maxSessions must be a whole number; 0 is no limit'],
    [{ legacyLoad: 'mean' }, 'legacyLoad must be sum or rate'],
    [{ legacyCapacity: 'yes' }, 'legacyCapacity must be true or false'],
  ])('is refused with %j', (more, problem) => {
    expect(() => backendOf({ model: { url: URL }, ...more })).toThrow(
      new TypeError(`defineBackend: ${problem}`),
    );
  });

  it('holds ten sessions if nothing else is said', () => {
    expect(backendOf({ model: { url: URL } })).toMatchObject({
      maxSessions: 10,
      legacyLoad: 'sum',
      legacyCapacity: false,
    });
  });
});

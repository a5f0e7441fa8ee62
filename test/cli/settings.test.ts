import { describe, expect, it } from 'vitest';
import { type Backend, defineBackend, type ModelServer } from '../../src/backend/index.js';
import { UserError } from '../../src/cli/exit.js';
import { checkFor, checkModel, settings, warningsFor } from '../../src/cli/settings.js';

const backendOf = (dialect: Backend['dialect']) =>
  defineBackend({ name: 'x', maxPerf: 1, dialect, routes: { '/run': { handle: () => 'ok' } } });

const ID = 'CONTAINER_ID is not set; x needs it to report. It takes the id of the instance, a whole number.';
const IP = 'PUBLIC_IPADDR is not set; x needs it to be found. It takes the public address of the instance.';
const portOf = (port: number) =>
  `VAST_TCP_PORT_${port} is not set; x needs it to be found. It takes the public port that leads to port ${port}.`;

const WHOLE = { CONTAINER_ID: '7', PUBLIC_IPADDR: '1.2.3.4', VAST_TCP_PORT_3000: '40000' };

describe('what a backend needs of the settings', () => {
  it.each<[dialect: Backend['dialect'], env: Record<string, string>, problems: string[]]>([
    ['none', {}, []],
    ['none', { TSWORKER_DIALECT: 'current' }, []],
    ['legacy', {}, [ID]],
    ['legacy', { CONTAINER_ID: '7' }, []],
    ['legacy', { CONTAINER_ID: '0' }, []],
    ['legacy', { TSWORKER_DIALECT: 'current' }, [ID, IP, portOf(3000)]],
    ['current', {}, [ID, IP, portOf(3000)]],
    ['current', { TSWORKER_DIALECT: 'legacy' }, [ID]],
    ['current', { ...WHOLE }, []],
    ['current', { ...WHOLE, WORKER_PORT: '3001' }, [portOf(3001)]],
    ['current', { CONTAINER_ID: '7', PUBLIC_IPADDR: '127.0.0.1', WORKER_PORT: '0' }, []],
    ['current', { PUBLIC_IPADDR: '1.2.3.4', VAST_TCP_PORT_3000: '40000' }, [ID]],
  ])('%s with %j', (dialect, env, problems) => {
    const { config } = settings(env, {});
    const check = () => checkFor(backendOf(dialect), config);
    if (problems.length === 0) expect(check).not.toThrow();
    else expect(check).toThrow(new UserError(problems.join('\nerror: ')));
  });
});

describe('what a model that is waited for by a line of its log needs', () => {
  const backendWith = (model: Partial<ModelServer>) =>
    defineBackend({
      name: 'x',
      maxPerf: 1,
      dialect: 'none',
      model: { url: 'http://127.0.0.1:1', logs: { loaded: ['up'] }, readiness: 'log', ...model },
      routes: { '/run': {} },
    });
  const { config } = settings({}, {});

  it.each<Partial<ModelServer>>([{ log: '/log' }, { command: 'serve' }])('is there with %j', (model) => {
    expect(() => checkFor(backendWith(model), config)).not.toThrow();
    expect(() => checkModel(backendWith(model))).not.toThrow();
  });

  it('is missing with neither', () => {
    const problem = /^MODEL_LOG is not set; x can not wait/;
    expect(() => checkFor(backendWith({}), config)).toThrow(problem);
    expect(() => checkModel(backendWith({}))).toThrow(problem);
  });
});

describe('what is about a model server', () => {
  const env = {
    TSWORKER_MODEL_COMMAND: 'serve',
    MODEL_LOG: '/log',
    MODEL_HEALTH_ENDPOINT: '/health',
    TSWORKER_READINESS: 'log',
    MODEL_SERVER_URL: 'http://127.0.0.1:8000',
  };
  const { config } = settings(env, {});

  it('is ignored by a backend that has none, which is told', () => {
    const ignored = (variable: string) => `${variable} is set, but x has no model server; it is ignored.`;
    expect(warningsFor(backendOf('legacy'), config)).toEqual(
      ['TSWORKER_MODEL_COMMAND', 'MODEL_LOG', 'MODEL_HEALTH_ENDPOINT', 'TSWORKER_READINESS'].map(ignored),
    );
    expect(warningsFor(backendOf('legacy'), settings({}, {}).config)).toEqual([]);
  });

  it('is none to a backend that has one', () => {
    const model = { url: 'http://127.0.0.1:8000' };
    const backend = defineBackend({ name: 'x', maxPerf: 1, model, routes: { '/run': {} } });
    expect(warningsFor(backend, config)).toEqual([]);
  });
});

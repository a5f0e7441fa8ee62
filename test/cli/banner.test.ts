import { describe, expect, it } from 'vitest';
import { defineBackend } from '../../src/backend/index.js';
import { type Banner, showBanner } from '../../src/cli/banner.js';
import { RecordingLog } from '../../src/testing/recording-log.js';

const handle = () => 'ok';
const backend = defineBackend({
  name: 'shop',
  description: 'Sells.',
  dialect: 'none',
  routes: {
    '/value': { method: 'GET', public: true, handle },
    '/buy': { handle, example: { what: "a 'rose'" } },
    '/empty': { handle },
    '/put': { method: 'PUT', handle, example: 1 },
  },
});

const BANNER: Banner = {
  backend,
  workerUrl: 'http://127.0.0.1:3000',
  pageUrl: 'http://127.0.0.1:3001/',
  statusUrl: 'http://127.0.0.1:3001/status',
  autoscalerUrl: 'http://127.0.0.1:8080',
  openaiUrl: undefined,
  envelope: 'none',
  apiKey: 'the-api-key',
  isKeyGiven: false,
};

function show(more: Partial<Banner>, isTTY: boolean, env: Record<string, string> = { NO_COLOR: '1' }) {
  const log = new RecordingLog();
  let written = '';
  const output = {
    isTTY,
    write: (text: string) => {
      written += text;
    },
  };
  showBanner({ ...BANNER, ...more }, log, { env, stdout: output, stderr: output });
  const commands = log.about('try').map(({ fields }) => fields.command);
  return { log, written, commands };
}

it('says why the autoscaler sends nobody to a worker that does not tell its address', () => {
  const legacy = defineBackend({
    name: 'old',
    dialect: 'legacy',
    maxPerf: 1,
    routes: { '/buy': { handle } },
  });
  const text =
    'the autoscaler sends nobody here, since this worker tells its address in the current dialect only: start it with TSWORKER_DIALECT=current for that';
  expect(show({ backend: legacy }, true).written).toContain(text);
  expect(show({ backend: legacy }, false).log.about('noRoutes')).toMatchObject([{ message: text }]);
  expect(show({}, true).written).not.toContain(text);
  expect(show({}, false).log.about('noRoutes')).toEqual([]);
});

const JSON_HEADER = "-H 'content-type: application/json'";

describe('what there is to try', () => {
  it('is curl where requests have no envelope', () => {
    expect(show({}, false).commands).toEqual([
      'curl http://127.0.0.1:3000/value',
      `curl http://127.0.0.1:3000/buy ${JSON_HEADER} -d '{"what":"a '\\''rose'\\''"}'`,
      `curl http://127.0.0.1:3000/empty ${JSON_HEADER} -d '{}'`,
      `curl -X PUT http://127.0.0.1:3000/put ${JSON_HEADER} -d '1'`,
    ]);
  });

  it('is curl with an envelope where it need not be signed', () => {
    expect(show({ envelope: 'unsigned' }, false).commands).toEqual([
      'curl http://127.0.0.1:3000/value',
      `curl http://127.0.0.1:3000/buy ${JSON_HEADER} -d '{"payload":{"what":"a '\\''rose'\\''"}}'`,
      `curl http://127.0.0.1:3000/empty ${JSON_HEADER} -d '{"payload":{}}'`,
      `curl -X PUT http://127.0.0.1:3000/put ${JSON_HEADER} -d '{"payload":1}'`,
    ]);
  });

  it.each([
    ['http://127.0.0.1:8080', ''],
    ['http://127.0.0.1:9090', ' --autoscaler http://127.0.0.1:9090'],
  ])(
    'is routed by the autoscaler at %s where it must be signed, and no more than that',
    (autoscalerUrl, option) => {
      expect(show({ envelope: 'signed', autoscalerUrl }, false).commands).toEqual([
        'curl http://127.0.0.1:3000/value',
        `npm run tsworker -- request /buy '{"what":"a '\\''rose'\\''"}'${option}`,
        `npm run tsworker -- request /empty '{}'${option}`,
      ]);
    },
  );
});

it.each<[what: string, workload: number | ((body: unknown) => number), cost: string]>([
  ['a number', 1, ' --cost 1'],
  ['what a function says of the example', (body) => Number(body) * 2.5, ' --cost 5'],
  ['what every request is assumed to be', 100, ''],
  ['what a function that fails comes to', () => Number.NaN, ''],
  ['nothing, as which none can be announced', 0, ''],
])('a request is announced as the work that the backend counts: %s', (_what, workload, cost) => {
  const counting = defineBackend({
    name: 'counting',
    dialect: 'current',
    maxPerf: 1,
    routes: { '/count': { handle, workload, example: 2 } },
  });
  expect(show({ backend: counting, envelope: 'signed' }, false).commands).toEqual([
    `npm run tsworker -- request /count '2'${cost}`,
  ]);
});

describe('where it is said', () => {
  it('on a terminal it is a page, the API key included, and the log is left alone', () => {
    const { log, written } = show({ envelope: 'signed' }, true);
    expect(log.lines).toEqual([]);
    expect(written.split('\n')).toEqual([
      '',
      '  shop Sells.',
      '',
      '  worker      http://127.0.0.1:3000',
      '  page        http://127.0.0.1:3001/',
      '  status      http://127.0.0.1:3001/status',
      '  autoscaler  http://127.0.0.1:8080/',
      '',
      '  first       export TSWORKER_API_KEY=the-api-key',
      '  try         curl http://127.0.0.1:3000/value',
      `              npm run tsworker -- request /buy '{"what":"a '\\''rose'\\''"}'`,
      "              npm run tsworker -- request /empty '{}'",
      '  stop        Ctrl-C; a second one stops at once',
      '',
      '',
    ]);
  });

  it('on a terminal it has colours, unless they are not wanted', () => {
    const isColoured = (env: Record<string, string>) => show({}, true, env).written.includes('\u001b[');
    expect([isColoured({}), isColoured({ NO_COLOR: '1' })]).toEqual([true, false]);
  });

  it('without a key or an autoscaler it names none', () => {
    const { written } = show({ apiKey: undefined, autoscalerUrl: undefined }, true);
    expect(written).not.toContain('TSWORKER_API_KEY');
    expect(written).toContain('  autoscaler  none: this backend reports nothing\n');
  });

  it('else it is lines of the log, and the API key is in none of them', () => {
    const { log, written } = show({ envelope: 'signed' }, false);
    expect(written).toBe('');
    expect(log.about('listening')).toEqual([
      {
        level: 'info',
        message: 'shop listens on http://127.0.0.1:3000, see it at work on http://127.0.0.1:3001/',
        fields: {
          event: 'listening',
          workerUrl: 'http://127.0.0.1:3000',
          pageUrl: 'http://127.0.0.1:3001/',
          statusUrl: 'http://127.0.0.1:3001/status',
          autoscalerUrl: 'http://127.0.0.1:8080',
        },
      },
    ]);
    expect(log.lines.length).toBe(5);
    expect(log.text).not.toContain('the-api-key');
  });

  it.each([
    [true, 'first: export the TSWORKER_API_KEY that this was started with'],
    [
      false,
      'first: start again with a TSWORKER_API_KEY of your own, and export the same where you try this: the one that was made up is shown on a terminal only',
    ],
  ])('the log says where the key is to be had, given %s, before what needs it', (isKeyGiven, message) => {
    const { log } = show({ envelope: 'signed', isKeyGiven }, false);
    expect(log.lines.map(({ fields }) => fields.event).slice(0, 3)).toEqual(['listening', 'try.key', 'try']);
    expect(log.about('try.key').map((line) => line.message)).toEqual([message]);
  });

  it('the log speaks of no key where none is needed', () => {
    expect(show({ apiKey: undefined }, false).log.about('try.key')).toEqual([]);
  });
});

describe('the address for clients of OpenAI', () => {
  const openaiUrl = 'http://127.0.0.1:8080/openai/my-endpoint/v1';

  it('is shown on a terminal and told to the log, where there is one', () => {
    expect(show({ openaiUrl }, true).written).toContain(`\n  openai      ${openaiUrl}\n`);
    expect(show({ openaiUrl }, false).log.about('listening')).toMatchObject([{ fields: { openaiUrl } }]);
  });

  it('is not spoken of where there is none', () => {
    expect(show({}, true).written).not.toContain('openai');
    expect(show({}, false).log.about('listening')[0]?.fields).not.toHaveProperty('openaiUrl');
  });
});

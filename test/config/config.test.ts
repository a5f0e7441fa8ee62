import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Config,
  type Overrides,
  readConfig,
  SETTINGS,
  type SettingName,
} from '../../src/config/index.js';

type Env = Readonly<Record<string, string | undefined>>;

function configOf(env: Env = {}, overrides: Overrides = {}): Config {
  const result = readConfig(env, overrides);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

function problemsOf(env: Env, overrides: Overrides = {}): readonly string[] {
  const result = readConfig(env, overrides);
  return result.ok ? [] : result.problems;
}

const INTEGER = 'a whole number';
const PORT = 'a port number from 0 to 65535; 0 takes any free port';
const FLAG = 'true or false';
const DURATION = 'a duration such as 500ms, 10s or 2m, up to 24 days';
const SIZE = 'a size such as 64KiB or 1MiB';
const URLS = 'http or https addresses, separated by commas';
const POSITIVE = 'a number over 0';
const PATH = 'a path such as /health';
const ADDRESS = 'an http or https address such as http://127.0.0.1:8000';
const LEVEL = 'one of debug, info, warn, error, silent';

interface Row {
  readonly variable: string;
  readonly fallback: unknown;
  readonly accepted: readonly (readonly [text: string, value: unknown])[];
  readonly refused: readonly string[];
  readonly takes: string;
}

const DURATIONS = {
  accepted: [
    ['1ms', 1],
    ['0.5s', 500],
    ['1.5m', 90_000],
    ['24h', 86_400_000],
    [' 2s ', 2_000],
    ['2147483647ms', 2_147_483_647],
  ],
  refused: [
    '0s',
    '0.4ms',
    '10',
    's',
    '-1s',
    '1e3ms',
    '1 s',
    '1S',
    '1d',
    '2147483648ms',
    '597h',
    'Infinityms',
    '.5s',
    '1.s',
  ],
  takes: DURATION,
} as const;

const LIMITS = {
  accepted: [...DURATIONS.accepted, ['none', Number.POSITIVE_INFINITY], [' 0 ', Number.POSITIVE_INFINITY]],
  refused: [...DURATIONS.refused, 'None', 'no', '00'],
  takes: `${DURATION}; none or 0 for no limit`,
} as const;

const FLAGS = {
  accepted: [
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['false', false],
    ['False', false],
    ['0', false],
  ],
  refused: ['yes', 'on', '2', 'tru', 'constructor', '__proto__', 'toString', 'null'],
  takes: FLAG,
} as const;

const PORTS = {
  accepted: [
    ['0', 0],
    ['80', 80],
    [' 3100 ', 3100],
    ['65535', 65_535],
  ],
  refused: ['65536', '-1', '3000.0', '0x50', '1e3', 'http', '000080'],
  takes: PORT,
} as const;

const SIZES = {
  accepted: [
    ['1B', 1],
    ['64KiB', 65_536],
    ['2 MiB', 2_097_152],
    ['1024GiB', 2 ** 40],
  ],
  refused: ['0B', '10', '1MB', '1mib', '-1B', '1.5MiB', '1025GiB', 'B', '1  B'],
  takes: SIZE,
} as const;

const TEXTS = {
  accepted: [
    ['a', 'a'],
    ['/a b/ä', '/a b/ä'],
  ],
  refused: [],
  takes: 'any text',
} as const;

const POSITIVES = {
  accepted: [
    ['1', 1],
    ['0.5', 0.5],
    ['1000000000000', 1e12],
  ],
  refused: ['0', '0.0', '-1', '1e3', '.5', '1.', '1000000000001', 'NaN', 'Infinity', 'x'],
  takes: POSITIVE,
} as const;

const COUNTS = {
  accepted: [
    ['1', 1],
    ['12', 12],
  ],
  refused: ['0', '-1', '1.5', '1e3', 'x', '01', '1234567890'],
  takes: 'a whole number from 1',
} as const;

const INTEGERS = {
  accepted: [
    ['0', 0],
    ['12', 12],
  ],
  refused: ['-1', '1.5', '1e3', 'x', '1234567890123456'],
  takes: INTEGER,
} as const;

const choices = (...values: readonly string[]) => ({
  accepted: values.map((value) => [value, value] as const),
  refused: ['other', (values[0] ?? '').toUpperCase(), 'constructor'],
  takes: `one of ${values.join(', ')}`,
});

const ROWS: Readonly<Record<SettingName, Row>> = {
  containerId: {
    variable: 'CONTAINER_ID',
    fallback: undefined,
    accepted: [
      ['0', 0],
      ['123', 123],
      ['0123', 123],
      ['999999999999999', 999_999_999_999_999],
    ],
    refused: ['-1', '1.5', '1e3', 'C.123', '1234567890123456', 'NaN', '1_000'],
    takes: INTEGER,
  },
  reportAddresses: {
    variable: 'REPORT_ADDR',
    fallback: ['https://run.vast.ai'],
    accepted: [
      ['http://a', ['http://a']],
      ['https://a:1/x/, http://b', ['https://a:1/x/', 'http://b']],
      ['http://a,http://b,http://a', ['http://a', 'http://b']],
      ['HTTP://[::1]:8080', ['HTTP://[::1]:8080']],
    ],
    refused: [
      'a',
      'ftp://a',
      'http://',
      'http://a,',
      'http://a,b',
      'http://a b',
      'http://a?x=1',
      'http://a#x',
      'http://user:word@a',
      'http://a:99999',
      'file:///etc/passwd',
    ],
    takes: URLS,
  },
  masterToken: { variable: 'MASTER_TOKEN', fallback: '', ...TEXTS },
  backend: { variable: 'BACKEND', fallback: undefined, ...TEXTS },
  host: { variable: 'TSWORKER_HOST', fallback: '0.0.0.0', ...TEXTS },
  workerPort: { variable: 'WORKER_PORT', fallback: 3000, ...PORTS },
  internalPort: { variable: 'WORKER_HTTP_PORT', fallback: undefined, ...PORTS },
  internalHost: {
    variable: 'TSWORKER_INTERNAL_HOST',
    fallback: '127.0.0.1',
    accepted: [
      ['127.0.0.2', '127.0.0.2'],
      ['localhost', 'localhost'],
      ['::1', '::1'],
    ],
    refused: [],
    takes: 'any text',
  },
  internalToken: {
    variable: 'TSWORKER_INTERNAL_TOKEN',
    fallback: '',
    accepted: [['a-B_9.~+/=!', 'a-B_9.~+/=!']],
    refused: ['two words', 'tökén', '“quoted”', 'zero\u200bwidth', 'line\n'],
    takes: 'letters, digits and signs of ASCII, without spaces',
  },
  useTls: { variable: 'USE_SSL', fallback: false, ...FLAGS },
  tlsCertificate: { variable: 'TSWORKER_TLS_CERT', fallback: '/etc/instance.crt', ...TEXTS },
  tlsKey: { variable: 'TSWORKER_TLS_KEY', fallback: '/etc/instance.key', ...TEXTS },
  tlsCheckMs: { variable: 'TSWORKER_TLS_CHECK_INTERVAL', fallback: 60_000, ...DURATIONS },
  reportIntervalMs: { variable: 'TSWORKER_REPORT_INTERVAL', fallback: 10_000, ...DURATIONS },
  reportTimeoutMs: { variable: 'TSWORKER_REPORT_TIMEOUT', fallback: 5_000, ...DURATIONS },
  reportBackOffMs: { variable: 'TSWORKER_REPORT_MAX_BACKOFF', fallback: 10_000, ...DURATIONS },
  serveUnreported: { variable: 'TSWORKER_SERVE_UNREPORTED', fallback: true, ...FLAGS },
  drainTimeoutMs: { variable: 'TSWORKER_DRAIN_TIMEOUT', fallback: 30_000, ...DURATIONS },
  sessionGraceMs: { variable: 'TSWORKER_SESSION_GRACE', fallback: 5_000, ...DURATIONS },
  bodyLimitBytes: { variable: 'TSWORKER_BODY_LIMIT', fallback: 67_108_864, ...SIZES },
  uncheckedLimitBytes: {
    variable: 'TSWORKER_UNCHECKED_BODIES_LIMIT',
    fallback: 268_435_456,
    ...SIZES,
  },
  publicIp: { variable: 'PUBLIC_IPADDR', fallback: undefined, ...TEXTS },
  extraUrls: {
    variable: 'TSWORKER_EXTRA_URLS',
    fallback: undefined,
    accepted: [['http://a,https://b:1', ['http://a', 'https://b:1']]],
    refused: ['a', 'http://a,', 'ftp://a', 'http://a?x'],
    takes: URLS,
  },
  corsOrigins: {
    variable: 'TSWORKER_CORS_ORIGINS',
    fallback: undefined,
    accepted: [
      ['https://a.example, http://b:81', ['https://a.example', 'http://b:81']],
      ['*', ['*']],
    ],
    refused: [
      'a.example',
      'https://a.example/',
      'https://a.example/x',
      'https://A.example',
      'ftp://a',
      'null',
    ],
    takes: 'origins such as https://example.com, separated by commas, or * for any',
  },
  unsecured: { variable: 'UNSECURED', fallback: false, ...FLAGS },
  requireSignature: { variable: 'TSWORKER_REQUIRE_SIGNATURE', fallback: false, ...FLAGS },
  refuseRepeats: { variable: 'TSWORKER_REFUSE_REPEATS', fallback: false, ...FLAGS },
  dialect: { variable: 'TSWORKER_DIALECT', fallback: undefined, ...choices('current', 'legacy') },
  finishedForm: {
    variable: 'TSWORKER_DELETE_REQUESTS_FORM',
    fallback: 'requests',
    ...choices('requests', 'request_idxs'),
  },
  modelServerUrl: {
    variable: 'MODEL_SERVER_URL',
    fallback: undefined,
    accepted: [
      ['http://127.0.0.1:8000', 'http://127.0.0.1:8000'],
      [' https://a/v1// ', 'https://a/v1'],
    ],
    refused: ['a', 'ftp://a', 'http://', 'http://a?x=1', 'http://a#x', 'http://user:word@a', 'http://a b'],
    takes: ADDRESS,
  },
  modelCommand: { variable: 'TSWORKER_MODEL_COMMAND', fallback: undefined, ...TEXTS },
  modelLog: { variable: 'MODEL_LOG', fallback: undefined, ...TEXTS },
  modelLogBytes: { variable: 'TSWORKER_MODEL_LOG_SIZE', fallback: 67_108_864, ...SIZES },
  modelLogKeep: { variable: 'TSWORKER_MODEL_LOG_KEEP', fallback: 3, ...INTEGERS },
  modelGraceMs: { variable: 'TSWORKER_MODEL_GRACE', fallback: 10_000, ...DURATIONS },
  modelMaxCrashes: { variable: 'TSWORKER_MODEL_MAX_CRASHES', fallback: 5, ...COUNTS },
  modelStableAfterMs: { variable: 'TSWORKER_MODEL_STABLE_AFTER', fallback: 600_000, ...DURATIONS },
  modelMaxBackOffMs: { variable: 'TSWORKER_MODEL_MAX_BACKOFF', fallback: 60_000, ...DURATIONS },
  memoryEvents: { variable: 'TSWORKER_MEMORY_EVENTS', fallback: undefined, ...TEXTS },
  stateDir: { variable: 'TSWORKER_STATE_DIR', fallback: undefined, ...TEXTS },
  modelHealth: {
    variable: 'MODEL_HEALTH_ENDPOINT',
    fallback: undefined,
    accepted: [
      ['/', '/'],
      ['/health?full=1', '/health?full=1'],
    ],
    refused: ['health', '/a b', '/a#b', 'http://a/health'],
    takes: PATH,
  },
  modelName: { variable: 'MODEL_NAME', fallback: undefined, ...TEXTS },
  readiness: {
    variable: 'TSWORKER_READINESS',
    fallback: undefined,
    ...choices('log', 'health', 'both', 'none'),
  },
  preset: { variable: 'TSWORKER_PRESET', fallback: undefined, ...TEXTS },
  functions: { variable: 'TSWORKER_FUNCTIONS', fallback: undefined, ...TEXTS },
  maxPerf: { variable: 'TSWORKER_MAX_PERF', fallback: undefined, ...POSITIVES },
  maxQueueMs: { variable: 'TSWORKER_MAX_QUEUE_TIME', fallback: undefined, ...DURATIONS },
  firstByteTimeoutMs: { variable: 'TSWORKER_FIRST_BYTE_TIMEOUT', fallback: undefined, ...LIMITS },
  betweenBytesTimeoutMs: { variable: 'TSWORKER_BETWEEN_BYTES_TIMEOUT', fallback: undefined, ...LIMITS },
  totalTimeoutMs: { variable: 'TSWORKER_TOTAL_TIMEOUT', fallback: undefined, ...LIMITS },
  maxSessions: { variable: 'TSWORKER_MAX_SESSIONS', fallback: undefined, ...INTEGERS },
  benchmarkRuns: { variable: 'TSWORKER_BENCHMARK_RUNS', fallback: undefined, ...COUNTS },
  benchmarkFile: { variable: 'TSWORKER_BENCHMARK_FILE', fallback: undefined, ...TEXTS },
  loadTimeoutMs: { variable: 'TSWORKER_LOAD_TIMEOUT', fallback: 3_600_000, ...DURATIONS },
  loadStallTimeoutMs: { variable: 'TSWORKER_LOAD_STALL_TIMEOUT', fallback: 1_200_000, ...DURATIONS },
  loadWatch: { variable: 'TSWORKER_LOAD_WATCH', fallback: undefined, ...TEXTS },
  healthIntervalMs: { variable: 'TSWORKER_HEALTH_INTERVAL', fallback: 10_000, ...DURATIONS },
  healthTimeoutMs: { variable: 'TSWORKER_HEALTH_TIMEOUT', fallback: 5_000, ...DURATIONS },
  healthStrikes: { variable: 'TSWORKER_HEALTH_STRIKES', fallback: 3, ...COUNTS },
  stallTimeoutMs: { variable: 'TSWORKER_STALL_TIMEOUT', fallback: undefined, ...LIMITS },
  updateFile: { variable: 'TSWORKER_UPDATE_FILE', fallback: '/.force_update', ...TEXTS },
  beacon: { variable: 'TSWORKER_BEACON', fallback: true, ...FLAGS },
  parentPid: { variable: 'TSWORKER_PARENT_PID', fallback: undefined, ...INTEGERS },
  headersTimeoutMs: { variable: 'TSWORKER_HEADERS_TIMEOUT', fallback: 10_000, ...DURATIONS },
  requestTimeoutMs: { variable: 'TSWORKER_REQUEST_TIMEOUT', fallback: 60_000, ...DURATIONS },
  clientTimeoutMs: { variable: 'TSWORKER_CLIENT_TIMEOUT', fallback: 60_000, ...LIMITS },
  recordFile: { variable: 'TSWORKER_RECORD', fallback: undefined, ...TEXTS },
  recordBytes: { variable: 'TSWORKER_RECORD_BYTES', fallback: 67_108_864, ...SIZES },
  inspectTo: { variable: 'TSWORKER_INSPECT', fallback: undefined, ...TEXTS },
  logLevel: {
    variable: 'TSWORKER_LOG_LEVEL',
    fallback: 'info',
    accepted: [
      ['debug', 'debug'],
      ['silent', 'silent'],
    ],
    refused: ['INFO', 'trace', 'constructor'],
    takes: LEVEL,
  },
};

const rows = Object.entries(ROWS) as [SettingName, Row][];

describe('every setting', () => {
  it('is in the table', () => {
    expect(Object.keys(ROWS)).toEqual(Object.keys(SETTINGS));
    expect(rows.map(([, { variable }]) => variable)).toEqual(
      Object.values(SETTINGS).map(({ variable }) => variable),
    );
  });

  it('has a default', () => {
    const defaults = Object.fromEntries(
      rows.flatMap(([name, { fallback }]) => (fallback === undefined ? [] : [[name, fallback]])),
    );
    expect(configOf()).toEqual(defaults);
  });

  it.each(rows)('%s is read, blank or set', (name, { variable, fallback, accepted }) => {
    expect(configOf({ [variable]: '' })[name]).toEqual(fallback);
    for (const [text, value] of accepted) expect(configOf({ [variable]: text })[name]).toEqual(value);
  });

  it.each(rows)('%s refuses what it does not take', (name, { variable, refused, takes }) => {
    const shown = (text: string) => ('secret' in SETTINGS[name] ? 'not usable' : JSON.stringify(text));
    expect(refused.map((text) => problemsOf({ [variable]: text }))).toEqual(
      refused.map((text) => [`${variable} is ${shown(text)}; it takes ${takes}.`]),
    );
  });

  it.each(rows.filter(([name]) => 'option' in SETTINGS[name]))(
    '%s goes by its option first',
    (name, { variable, accepted, refused, takes }) => {
      const setting = SETTINGS[name];
      const option = 'option' in setting ? setting.option : '';
      const [text = '', value] = accepted[0] ?? [];
      expect(configOf({ [variable]: 'nonsense' }, { [name]: text })[name]).toEqual(value);
      for (const wrong of ['', ...refused.slice(0, 2)]) {
        expect(problemsOf({ [variable]: text }, { [name]: wrong })).toEqual([
          `${option} is ${JSON.stringify(wrong)}; it takes ${takes}.`,
        ]);
      }
    },
  );
});

describe('the port', () => {
  it.each<[env: Env, port: number]>([
    [{ AUTH_PORT: '4000' }, 4000],
    [{ WORKER_PORT: '', AUTH_PORT: '4000' }, 4000],
    [{ WORKER_PORT: '5000', AUTH_PORT: '4000' }, 5000],
    [{ WORKER_PORT: '5000', AUTH_PORT: 'nonsense' }, 5000],
  ])('%o', (env, port) => {
    expect(configOf(env).workerPort).toBe(port);
  });

  it('is wrong by its older name', () => {
    expect(problemsOf({ AUTH_PORT: 'x' })).toEqual([`AUTH_PORT is "x"; it takes ${PORT}.`]);
  });
});

it('every problem is told at once', () => {
  expect(
    problemsOf(
      { WORKER_PORT: 'x', USE_SSL: 'maybe', TSWORKER_REPORT_INTERVAL: 'soon', MASTER_TOKEN: 'a-secret' },
      { logLevel: 'loud' },
    ),
  ).toEqual([
    `WORKER_PORT is "x"; it takes ${PORT}.`,
    `USE_SSL is "maybe"; it takes ${FLAG}.`,
    `TSWORKER_REPORT_INTERVAL is "soon"; it takes ${DURATION}.`,
    `--log-level is "loud"; it takes ${LEVEL}.`,
  ]);
});

describe('the public port', () => {
  it.each<[env: Env, port: number | undefined]>([
    [{}, undefined],
    [{ VAST_TCP_PORT_3000: '41234' }, 41_234],
    [{ VAST_TCP_PORT_3000: '' }, undefined],
    [{ WORKER_PORT: '5000', VAST_TCP_PORT_3000: '41234' }, undefined],
    [{ WORKER_PORT: '5000', VAST_TCP_PORT_3000: '41234', VAST_TCP_PORT_5000: '41235' }, 41_235],
  ])('%o', (env, port) => {
    expect(configOf(env).publicPort).toBe(port);
  });

  it('is refused by its name when it is none', () => {
    expect(problemsOf({ VAST_TCP_PORT_3000: 'x' })).toEqual([`VAST_TCP_PORT_3000 is "x"; it takes ${PORT}.`]);
  });
});

it('an open door is warned of', () => {
  expect(readConfig({ MASTER_TOKEN: 'a-secret', UNSECURED: 'true' })).toMatchObject({
    ok: true,
    warnings: ['UNSECURED is true: the door is open, whoever reaches the port is served.'],
  });
});

describe('warnings', () => {
  const TOKEN = 'MASTER_TOKEN is not set to a secret, so nothing can be authorised by it.';

  it.each<[env: Env, warnings: string[]]>([
    [{ MASTER_TOKEN: 'a-secret' }, []],
    [{}, [TOKEN]],
    [{ MASTER_TOKEN: '' }, [TOKEN]],
    [{ MASTER_TOKEN: 'mtoken' }, [TOKEN]],
    [{ MASTER_TOKEN: 'a-secret', TSWORKER_HOME: '/x', OTHER: 'x', TSWORKER_HOST: '::' }, []],
    [
      { MASTER_TOKEN: 'a-secret', TSWORKER_REPORT_INTERVALL: '1s', TSWORKER_: '' },
      [
        'TSWORKER_REPORT_INTERVALL is not a setting of this version; it is ignored.',
        'TSWORKER_ is not a setting of this version; it is ignored.',
      ],
    ],
  ])('%o', (env, warnings) => {
    expect(readConfig(env)).toMatchObject({ ok: true, warnings });
  });

  it('do not show the token', () => {
    expect(JSON.stringify(readConfig({ MASTER_TOKEN: 'a-secret', TSWORKER_TOKEN: 'a-secret' }))).toMatch(
      /^(?:(?!a-secret).)*"masterToken":"a-secret"(?:(?!a-secret).)*$/,
    );
  });
});

describe('reading', () => {
  it('changes nothing that it is given, and what it gives can not be changed', () => {
    const env = Object.freeze({ WORKER_PORT: '1', AUTH_PORT: '2', REPORT_ADDR: 'http://a' });
    const config = configOf(env, Object.freeze({ host: '::1' }));
    expect(env).toEqual({ WORKER_PORT: '1', AUTH_PORT: '2', REPORT_ADDR: 'http://a' });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.reportAddresses)).toBe(true);
  });

  it('knows nothing of the process', () => {
    const folder = new URL('../../src/config/', import.meta.url);
    for (const file of readdirSync(folder)) {
      expect(readFileSync(new URL(file, folder), 'utf8')).not.toMatch(/\bprocess\b/);
    }
  });

  it('answers whatever it is given, and tells each problem in one line that names its variable', () => {
    const variables = Object.values(SETTINGS).map(({ variable }) => variable);
    const env = fc.dictionary(
      fc.constantFrom(...variables, 'AUTH_PORT', 'TSWORKER_X', '__proto__'),
      fc.string({ unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(env, (given) => {
        const result = readConfig(given);
        if (result.ok) return;
        for (const problem of result.problems) {
          expect(problem).toMatch(/^[A-Z_]+ is ("[^\n]*"|not usable); it takes [^\n]+\.$/);
          expect(problem.split(' ')[0]).toBeOneOf(Object.keys(given));
        }
      }),
    );
  });

  it.each(['0.0.0.0', '192.168.0.7', '::', 'example.org', '127.0.0.1.example.org'])(
    'the internal port listens on %s with a token alone',
    (host) => {
      const env = { TSWORKER_INTERNAL_HOST: host };
      const problem = `TSWORKER_INTERNAL_HOST is "${host}"; it takes an address of loopback such as 127.0.0.1, unless TSWORKER_INTERNAL_TOKEN is set to a secret.`;
      expect(problemsOf(env)).toEqual([problem]);
      expect(problemsOf({ ...env, TSWORKER_INTERNAL_TOKEN: 'mtoken' })).toEqual([problem]);
      expect(configOf({ ...env, TSWORKER_INTERNAL_TOKEN: 'a-secret' })).toMatchObject({
        internalHost: host,
        internalToken: 'a-secret',
      });
    },
  );

  it('a duration is the time that it says', () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
    const duration = fc.tuple(
      fc.integer({ min: 0, max: 10_000_000 }),
      fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
    );
    fc.assert(
      fc.property(duration, ([amount, unit]) => {
        const ms = amount * units[unit];
        const result = readConfig({ TSWORKER_DRAIN_TIMEOUT: `${amount}${unit}` });
        expect(result.ok ? result.config.drainTimeoutMs : 'refused').toBe(
          ms >= 1 && ms < 2 ** 31 ? ms : 'refused',
        );
      }),
    );
  });

  it('a size is the number of bytes that it says', () => {
    const units = { B: 0, KiB: 10, MiB: 20, GiB: 30 };
    const size = fc.tuple(fc.nat(), fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])));
    fc.assert(
      fc.property(size, ([amount, unit]) => {
        const bytes = amount * 2 ** units[unit];
        const result = readConfig({ TSWORKER_BODY_LIMIT: `${amount}${unit}` });
        expect(result.ok ? result.config.bodyLimitBytes : 'refused').toBe(
          bytes >= 1 && bytes <= 2 ** 40 ? bytes : 'refused',
        );
      }),
    );
  });
});

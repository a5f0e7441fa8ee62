import { styleText } from 'node:util';
import { type Command, Help } from 'commander';
import { KNOBS } from '../simulate/setup.js';
import { EXIT } from './exit.js';
import { environmentOnly } from './options.js';

type Section = readonly [title: string, rows: readonly (readonly [term: string, about: string])[]];

const EXIT_CODES: Section = [
  'Exit codes:',
  Object.values(EXIT).map(({ code, about }) => [String(code), about] as const),
];

/** What the help of a command says below its options. */
const SECTIONS: Readonly<Record<string, readonly Section[]>> = {
  tsworker: [
    [
      'Examples:',
      [
        ['tsworker dev', 'try the hello worker, with an autoscaler of its own'],
        ['tsworker dev ./my-backend.ts', 'the same with a backend of yours'],
        ['tsworker start helloautoscaler', 'as an instance runs it: set CONTAINER_ID and REPORT_ADDR'],
        ['tsworker help start', 'all that a worker can be told'],
      ],
    ],
    EXIT_CODES,
  ],
  dev: [
    [
      'Environment:',
      [
        [
          'WORKER_PORT, TSWORKER_…',
          'As for "tsworker start". What belongs to a rented instance (CONTAINER_ID, MASTER_TOKEN, REPORT_ADDR, …) is made up.',
        ],
        [
          'TSWORKER_RECORD',
          'As for "tsworker start". With --max-workers each worker records into a file of its own: run.1.jsonl for run.jsonl.',
        ],
      ],
    ],
    [
      'Examples:',
      [
        ['tsworker dev', 'the hello worker on 3000, the autoscaler on 8080'],
        ['tsworker dev ./my-backend.ts --port 0', 'your backend, on any free port'],
        ['tsworker dev openai --model-server http://127.0.0.1:8000', 'in front of vLLM'],
        ['tsworker dev ./my-backend.ts --max-workers 4', 'as many workers as the load wants, none to 4'],
        ['tsworker dev --log-level debug', 'each attempt to report as well'],
      ],
    ],
    EXIT_CODES,
  ],
  start: [
    ['Environment:', environmentOnly().map(({ variable, about }) => [variable, about] as const)],
    [
      'Examples:',
      [
        ['CONTAINER_ID=1 REPORT_ADDR=http://127.0.0.1:8080 tsworker start helloautoscaler', ''],
        ['BACKEND=./my-backend.ts tsworker start --port 3100', ''],
      ],
    ],
    EXIT_CODES,
  ],
  check: [
    ['Environment:', [['CONTAINER_ID, REPORT_ADDR, …', 'As for "tsworker start".']]],
    [
      'Examples:',
      [
        ['tsworker check', 'the worker that BACKEND names, before it is started'],
        ['tsworker check openai --json', 'for a script; the exit code is 1 when anything is fatal'],
      ],
    ],
    EXIT_CODES,
  ],
  autoscaler: [
    [
      'Examples:',
      [
        ['tsworker autoscaler', 'then open http://127.0.0.1:8080/'],
        [
          'tsworker autoscaler --host 0.0.0.0',
          'for workers on other machines; whoever reaches it can read it',
        ],
      ],
    ],
  ],
  load: [
    [
      'Examples:',
      [
        ['tsworker load my-endpoint --payload openai --rate 5 --duration 2m', 'as its users would'],
        [
          'tsworker load my-endpoint --route /increment --payload \'{"amount": 1}\' --cost 1 --rate 0..35..0',
          'up and down, with the work that helloautoscaler counts',
        ],
        [
          'tsworker load http://127.0.0.1:8000/v1/completions --payload prompts.jsonl --concurrency 20',
          'a model server, with nothing before it',
        ],
        [
          "tsworker load my-endpoint --payload openai --rate 5 --fail-on 'p99>2s,errors>1%' --report out.html",
          'for a script',
        ],
      ],
    ],
    [
      'Exit codes:',
      [
        ['0', 'No threshold was broken, and something succeeded.'],
        ['1', 'A threshold was broken, nothing succeeded, or it could not start.'],
        ['2', EXIT.usage.about],
      ],
    ],
  ],
  simulate: [
    ['Settings of --policy and --compare:', settingsOfSimulations()],
    [
      'Traces in a file (comma-separated, with a heading):',
      [
        ['at,rate', 'from so many seconds on, so many requests a second; the last row says when it ends'],
        ['at,units', 'a request a row, with the work that it is; without "units" as --cost says'],
      ],
    ],
    [
      'Examples:',
      [
        ['tsworker simulate', 'a day, with the settings of a rented endpoint'],
        ["tsworker simulate --trace bursty --compare 'target-util=0.7'", 'what more capacity would cost'],
        [
          'tsworker simulate --workers-from ~/.cache/tsworker/benchmarks.json --cost 50..400',
          'workers as fast as they measured themselves',
        ],
        ['tsworker simulate --trace trace.csv --report out.html', 'a load of yours, as a page with plots'],
      ],
    ],
  ],
  record: [
    [
      'Environment:',
      [['TSWORKER_INTERNAL_TOKEN', "The token of the worker's internal pages, if it has one."]],
    ],
    [
      'Examples:',
      [
        ['tsworker record http://127.0.0.1:3001', 'into run.jsonl, until the worker stops or Ctrl-C'],
        [
          'TSWORKER_RECORD=run.jsonl tsworker start',
          'from the beginning, which is what "replay --assert" needs',
        ],
      ],
    ],
  ],
  replay: [
    [
      'Examples:',
      [
        ['tsworker replay run.jsonl', 'then open the address that it prints'],
        ['tsworker replay run.jsonl --assert', 'a recording as a regression test'],
      ],
    ],
    EXIT_CODES,
  ],
  graph: [
    [
      'Examples:',
      [
        ['tsworker graph', 'the life of a worker, as a mermaid diagram'],
        ['tsworker graph --format svg > life.svg', 'the same as a drawing'],
        ['tsworker graph --format svg --highlight run.jsonl', 'what a recording took of it, and how often'],
        [
          'tsworker graph reporter --format json',
          'a machine for createMachine, or for the editor of Stately',
        ],
      ],
    ],
  ],
};

function settingsOfSimulations(): Section[1] {
  return Object.entries(KNOBS).map(([name, { about, fallback }]) => [name, `${about} (${fallback})`]);
}

/** Commander's help, with those sections below it. */
export const helpFormat: Partial<Help> = {
  styleTitle: (title) => styleText('bold', title),
  subcommandTerm: (command) => {
    const taken = command.registeredArguments.map((argument) => `[${argument.name()}]`);
    return [command.name(), ...taken].join(' ');
  },
  formatHelp: (command: Command, helper: Help) => {
    const below = (SECTIONS[command.name()] ?? []).flatMap(([title, rows]) => format(title, rows, helper));
    return `${[new Help().formatHelp(command, helper).trimEnd(), ...below].join('\n')}\n`;
  },
};

function format(title: string, rows: Section[1], helper: Help): string[] {
  const width = Math.max(...rows.filter(([, about]) => about !== '').map(([term]) => term.length), 0);
  const lines = rows.map(([term, about]) => helper.formatItem(term, width, about, helper));
  return ['', helper.styleTitle(title), ...lines];
}

import type { Away } from './autoscaler.js';
import type { Fleet, OutageFigures, Peaks } from './outage.js';

export interface Scenario {
  readonly fleet: Fleet;
  readonly away: Away;
  /** How many reports the autoscaler takes in a second, where there are ten thousand workers. */
  readonly perSecond: number;
}

const TAKEN: Readonly<Record<Fleet, number>> = { idle: 1_500, busy: 5_000, together: 5_000 };
const FLEETS: readonly Fleet[] = ['idle', 'busy', 'together'];
const AWAYS: readonly Away[] = ['refuses', 'hangs'];

export const SCENARIOS: readonly Scenario[] = FLEETS.flatMap((fleet) =>
  AWAYS.map((away) => ({ fleet, away, perSecond: TAKEN[fleet] })),
);

export interface Row {
  readonly scenario: Scenario;
  readonly hasJitter: boolean;
  readonly figures: OutageFigures;
}

const HEAD = [
  'workers',
  'autoscaler',
  'jitter',
  'before, /s',
  'peak before, in 1 s / 0.1 s',
  'in the outage, /s',
  'peak after, in 1 s / 0.1 s',
  'failed after',
  'half back',
  '99 % back',
  'all back',
];

export function tableOf(rows: readonly Row[]): string {
  const lines = [HEAD, HEAD.map((_name, column) => (column < 3 ? '---' : '---:')), ...rows.map(cellsOf)];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cellsOf({ scenario, hasJitter, figures }: Row): string[] {
  const { before, during, peaksBefore, peaksAfter, failedAfter, halfMs, mostMs, allMs } = figures;
  return [
    scenario.fleet,
    scenario.away,
    hasJitter ? 'with' : 'without',
    whole(before),
    peaks(peaksBefore),
    whole(during),
    peaks(peaksAfter),
    whole(failedAfter),
    ...[halfMs, mostMs, allMs].map(seconds),
  ];
}

function peaks({ second, tenth }: Peaks): string {
  return `${whole(second)} / ${whole(tenth)}`;
}

function seconds(ms: number | null): string {
  return ms === null ? 'never' : `${(ms / 1_000).toFixed(1)} s`;
}

function whole(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** The page of the study, with the figures that it has come to. */
export function pageOf(rows: readonly Row[]): string {
  return `${ABOUT}
${tableOf(rows)}
${foundIn(rows)}`;
}

const ABOUT = `# Study: ten thousand workers, one autoscaler, and an outage

\`npm run study\` makes this page, the same one each time (seed 1). Ten thousand workers report to one autoscaler, which is away for two minutes and comes back. Each worker is the reporter that runs in every worker (\`machines/reporter.ts\`), in virtual time, with the settings that it has when nothing is said: a heartbeat every 10 s, 5 s for an attempt, back-off from 0.5 s to 10 s, the \`current\` dialect. *With jitter* is how it is: a first heartbeat after any part of those 10 s (\`machines/heartbeat.ts\`), and a pause of anything from nothing to the ceiling (\`machines/back-off.ts\`). *Without* replaces both by the whole of them.

| workers | |
| --- | --- |
| idle | heartbeats alone, each worker's at a moment of its own; the autoscaler can take 1 500 reports a second |
| busy | work changes as well, every 3 s on average, and is told a second later; it can take 5 000 a second |
| together | heartbeats alone, of workers that were all started within the same second; 5 000 a second |

| the autoscaler | |
| --- | --- |
| refuses | nobody listens: a connection is refused at once |
| hangs | it takes connections and does not answer; when it is started again, all that wait are cut at the same moment |

It takes reports one after the other, 20 ms away. *Failed after* counts attempts that came to nothing after the end of the outage, since the autoscaler had more to do than it could within 5 s. *Back* is from the end of the outage until so many workers had a report acknowledged.

The peaks are the most attempts in any second and in any tenth of one, before the outage and from its end on.
`;

function foundIn(rows: readonly Row[]): string {
  const of = (fleet: Fleet, away: Away, hasJitter: boolean) => {
    const row = rows.find(
      (each) => each.scenario.fleet === fleet && each.scenario.away === away && each.hasJitter === hasJitter,
    );
    if (row === undefined) throw new Error(`nothing is known of ${fleet} workers and one that ${away}`);
    return row.figures;
  };
  const tenth = (hasJitter: boolean) => whole(of('busy', 'hangs', hasJitter).peaksAfter.tenth);
  const half = (hasJitter: boolean) => seconds(of('busy', 'hangs', hasJitter).halfMs);
  const started = (hasJitter: boolean) => whole(of('together', 'hangs', hasJitter).peaksBefore.second);
  return `
## What it shows

- **Jitter is for the moment at which all fail together.** Where an autoscaler refuses, workers find out one by one, each at a report of its own, and stay as far apart as they were: jitter changes little. Where it hangs and is started again, everybody who waits is cut at once; how many that are depends on the moment. Without jitter they all make the same pause and come back at the same moment: ${tenth(false)} of the busy ones within a tenth of a second, where with jitter at most ${tenth(true)} do.
- **With jitter workers are back sooner.** It makes half of the longest pause on average: half of the busy workers are back after ${half(true)}, without it after ${half(false)}. The last ones take as long as the longest pause, with it or without.
- **While nobody answers, jitter asks more often**, for the same reason. An attempt that is refused costs an autoscaler nothing, and one that hangs holds a connection for 5 s.
- **Heartbeats begin at moments of their own.** Workers that were started within the same second would report within the same second for as long as they live: ${started(false)} in the fullest one before the outage. As the first heartbeat comes after any part of the interval, at most ${started(true)} do, and all later ones keep that distance. The cadence is as it was: nobody is heard from less often than every 10 s.
`;
}

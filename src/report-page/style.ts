/** The look of the pages of a worker, for pages that stand alone. */
export const STYLE = `
:root {
  --ground: #f6f6f3; --card: #ffffff; --ink: #1c1e21; --muted: #596069; --line: #e4e4de;
  --good: #0a7048; --bad: #b3261e; --hover: rgb(28 30 33 / 7%);
  --plot-1: #2f6fd0; --plot-2: #c2570c; --plot-3: #0a7048; --plot-4: #b3261e; --plot-5: #6a3fb5; --plot-6: #596069;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101214; --card: #181b1e; --ink: #e9ebee; --muted: #9ba4ae; --line: #282c31;
    --good: #62d6a0; --bad: #ff938a; --hover: rgb(233 235 238 / 9%);
    --plot-1: #7fb0ff; --plot-2: #ffab66; --plot-3: #62d6a0; --plot-4: #ff938a; --plot-5: #c3a6ff; --plot-6: #9ba4ae;
  }
}
*, *::before, *::after { box-sizing: border-box; }
body {
  max-width: 74rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; background: var(--ground); color: var(--ink);
  font: 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, p, dl, dd, figure { margin: 0; padding: 0; }
h1 { font-size: 1.375rem; font-weight: 650; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { margin-bottom: 0.75rem; font-size: 0.9375rem; font-weight: 650; }
header { margin-bottom: 1.5rem; }
.about { color: var(--muted); }
.card { margin-bottom: 1rem; padding: 1.1rem 1.25rem; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.75rem; margin-bottom: 1rem; }
.tile { padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
.tile dt, .tile .note { color: var(--muted); font-size: 0.8125rem; font-weight: 400; letter-spacing: 0; }
.tile dd:not(.note) { font-size: 1.375rem; font-weight: 600; letter-spacing: -0.01em; }
.good > dd:not(.note), .good td { color: var(--good); }
.bad > dd:not(.note), .bad td { color: var(--bad); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1.25rem 2rem; }
.plot figcaption { display: flex; flex-wrap: wrap; gap: 0 0.9rem; font-size: 0.8125rem; color: var(--muted); }
.plot figcaption strong { color: var(--ink); font-weight: 600; }
.plot { container-type: inline-size; }
.frame { display: grid; grid-template: 10.5rem 1rem / auto minmax(0, 1fr); gap: 0.35rem 0.4rem; padding: 0.6rem 1.25rem 0 0; color: var(--muted); font-size: 0.6875rem; white-space: nowrap; }
.frame svg { display: block; width: 100%; height: 100%; overflow: visible; }
.y-axis { display: flex; flex-direction: column-reverse; justify-content: space-between; line-height: 0; text-align: right; }
.x-axis { grid-column: 2; position: relative; line-height: 1rem; }
.x-axis span { position: absolute; transform: translateX(-50%); }
@container (max-width: 24rem) { .x-axis span:first-child:nth-last-child(n + 5) ~ span:nth-child(even) { display: none; } }
.grid, .line { vector-effect: non-scaling-stroke; }
.grid { stroke: var(--line); }
.line { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.column { fill: transparent; }
.column:hover { fill: var(--hover); }
.series::before { content: ""; display: inline-block; width: 0.7rem; height: 0.2rem; margin: 0 0.35rem 0.2rem 0; border-radius: 1px; background: currentColor; }
.series > span { color: var(--muted); }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--plot-1); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; }
th, td { padding: 0.35rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child { padding-left: 0; text-align: left; }
thead th { color: var(--muted); font-weight: 500; white-space: normal; vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody tr:last-child > * { border-bottom: 0; }
.c1 { stroke: var(--plot-1); color: var(--plot-1); } .c2 { stroke: var(--plot-2); color: var(--plot-2); }
.c3 { stroke: var(--plot-3); color: var(--plot-3); } .c4 { stroke: var(--plot-4); color: var(--plot-4); }
.c5 { stroke: var(--plot-5); color: var(--plot-5); } .c6 { stroke: var(--plot-6); color: var(--plot-6); }
@media (max-width: 30rem) {
  body { padding: 1.25rem 0.75rem 3rem; }
  .card { padding: 1rem; }
  th, td { padding: 0.35rem; }
  th { white-space: normal; }
}
@media print { .card, .tile { break-inside: avoid; } }
`;

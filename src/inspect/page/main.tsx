import { render } from 'preact';
import { App } from './app.js';
import { Connection } from './connection.js';
import { began, happened, isNow, logged, NOTHING_YET, type PageState, sampled } from './page-state.js';
import './style.css';

const root = document.querySelector('#app');
if (root === null) throw new Error('the page has no place for the app');

let state = NOTHING_YET;
let isDue = false;

/** Many changes within a frame are drawn once. */
function change(step: (state: PageState) => PageState): void {
  state = step(state);
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(draw);
  // A page in the background has no frames, but is to be right when it is looked at.
  if (document.hidden) draw();
}

function draw(): void {
  isDue = false;
  if (root !== null)
    render(<App state={state} change={change} unlock={(token) => connection.open(token)} />, root);
}

const connection = new Connection({
  onBegin: (charts, history, samples) => change((before) => began(before, charts, history, samples)),
  onAgain: (samples) => change((before) => ({ ...before, samples })),
  onEvent: (event, data) => {
    if (event === 'now') change((before) => isNow(before, data as Parameters<typeof isNow>[1]));
    if (event === 'happened') change((before) => happened(before, data as Parameters<typeof happened>[1]));
    if (event === 'sample') change((before) => sampled(before, data as Parameters<typeof sampled>[1]));
    if (event === 'log') change((before) => logged(before, data as Parameters<typeof logged>[1]));
  },
  onLost: (why) => change((before) => ({ ...before, connection: why })),
  onLocked: (lock) => change((before) => ({ ...before, connection: 'locked', lock })),
});

draw();
connection.open();

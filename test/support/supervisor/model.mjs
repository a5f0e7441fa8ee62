import { createServer } from 'node:http';

/**
 * A small model server, for the tests in which a worker runs it. It is given its port and how many ms it takes to
 * load. It says what happens to it, and does what it is told: /die, /hang, /hold until /release.
 */

const [port, loadMs = '0'] = process.argv.slice(2);
const held = [];
let isHolding = false;
let isWell = true;

const answers = {
  '/health': (response) => response.writeHead(isWell ? 200 : 503).end(),
  '/hang': (response) => {
    isWell = false;
    response.end();
  },
  '/hold': (response) => {
    isHolding = true;
    response.end();
  },
  '/release': (response) => {
    for (const release of held.splice(0)) release();
    response.end();
  },
  '/die': () => {
    process.stderr.write('CUDA error: an illegal memory access was encountered\n', () => process.exit(3));
  },
  '/slow': (response) => {
    setTimeout(() => {
      console.log('answered slowly');
      response.end();
    }, 500);
  },
  '/run': (response) => {
    const answer = () => {
      console.log('answered');
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"text":"done"}');
    };
    if (!isHolding) return answer();
    console.log('held');
    held.push(answer);
  },
};

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const answer = answers[request.url ?? ''];
    if (answer === undefined) response.writeHead(404).end();
    else answer(response);
  });
});

console.log(`pid ${process.pid}`);
process.on('SIGTERM', () => {
  console.log('asked to end');
  process.exit(0);
});
// Whatever becomes of the test, it does not stay for ever.
setTimeout(() => process.exit(1), 300_000).unref();
setTimeout(
  () => server.listen(Number(port), '127.0.0.1', () => console.log('the model is ready')),
  Number(loadMs),
);

/**
 * Many clients in one process: `node crowd.mjs <port> <count> <kind>`. It prints a JSON line when all are connected and
 * have done what they do (`ready`), and one when the last has ended (`ended`), with what each was told first.
 */
import { connect } from 'node:net';

const [port = '', count = '', kind = ''] = process.argv.slice(2);

const LOCAL = 'Host: localhost\r\n';
const JSON_BODY = 'Content-Type: application/json\r\nContent-Length: 99999\r\n';

/** What each sends at first, and whether it goes on with a byte now and then. */
const KINDS = {
  /** One request, and then nothing, on a connection that is kept. */
  idle: { bytes: `GET /nowhere HTTP/1.1\r\n${LOCAL}\r\n`, dribbles: false },
  headers: { bytes: `POST /increment HTTP/1.1\r\n${LOCAL}X-Slow: `, dribbles: true },
  bodies: { bytes: `POST /increment HTTP/1.1\r\n${LOCAL}${JSON_BODY}\r\n{`, dribbles: true },
  /** Nothing at all. */
  silent: { bytes: '', dribbles: false },
};

const { bytes, dribbles } = KINDS[kind];
const told = {};
let [ready, ended] = [0, 0];

function tell(event) {
  process.stdout.write(`${JSON.stringify({ event, ...told })}\n`);
}

function one() {
  const socket = connect(Number(port), '127.0.0.1');
  let first = '';
  let timer;
  const isReady = () => {
    if (++ready === Number(count)) tell('ready');
  };
  socket.setNoDelay(true);
  socket.once('connect', () => {
    if (bytes !== '') socket.write(bytes);
    if (dribbles) timer = setInterval(() => socket.write('x'), 200);
    if (kind !== 'idle') isReady();
  });
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (text) => {
    if (first === '' && kind === 'idle') isReady();
    first ||= text.slice(0, text.indexOf('\r\n'));
  });
  socket.once('close', () => {
    clearInterval(timer);
    told[first] = (told[first] ?? 0) + 1;
    if (++ended === Number(count)) tell('ended');
  });
}

/** As many at once as a listener's backlog takes. */
const AT_ONCE = 200;

let begun = 0;
const begin = setInterval(() => {
  for (let n = 0; n < AT_ONCE && begun < Number(count) && begun - ready < AT_ONCE * 2; n++, begun++) one();
  if (begun === Number(count)) clearInterval(begin);
}, 20);

/** POST /greet {"name": "you"} answers {"result": "Hello you"}. */
export async function greet({ name }: { name: string }) {
  return `Hello ${name}`;
}

/** POST /count {"to": 3} streams a piece for each number. */
export async function* count({ to }: { to: number }) {
  for (let number = 1; number <= to; number++) yield `${number}\n`;
}
count.workload = ({ to }: { to: number }) => to;

/** POST /resize: one at a time, given up when the client goes, and measured when the worker starts. */
export async function resize({ pixels }: { pixels: number }, { signal }: { signal: AbortSignal }) {
  let sum = 0;
  for (let pixel = 0; pixel < pixels && !signal.aborted; pixel++) sum += pixel;
  return { sum };
}
resize.parallel = false;
resize.maxQueueTime = '10s';
resize.workload = ({ pixels }: { pixels: number }) => pixels / 1000;
resize.benchmark = { dataset: [{ pixels: 1_000_000 }], runs: 3 };

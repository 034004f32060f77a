// N recurring jobs with a context of 200 bytes on BullMQ: each finds nothing, and is due again an interval later.
//
//   node main.mjs --url redis://... --jobs N --interval-ms N --warm-up-s N --seconds N --workers N --concurrency N
//     --again add|move
//
// Ends with one line of JSON. How a job comes again: by a delayed job that its processor adds; or it moves back to the
// delayed ones itself, as BullMQ's guide has it for jobs that put themselves off: moveToDelayed, then DelayedError. Job
// number i is due at i / N of each interval, so that every run of it knows how late it is.
import cluster from 'node:cluster';
import { parseArgs } from 'node:util';
import { DelayedError, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const { values } = parseArgs({
  options: Object.fromEntries(
    ['url', 'jobs', 'interval-ms', 'warm-up-s', 'seconds', 'workers', 'concurrency', 'again'].map((name) => [
      name,
      { type: 'string' },
    ]),
  ),
});
const number = (name) => Number(values[name]);
const [jobs, intervalMs, concurrency] = ['jobs', 'interval-ms', 'concurrency'].map(number);
const address = new URL(values.url);
const connection = new Redis(address.href, { maxRetriesPerRequest: null });
const name = 'polls';
const batch = 1000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// When job `i` was due last, at `now`.
function lastDue(i, now) {
  const phase = (i * intervalMs) / jobs;
  return Math.floor((now - phase) / intervalMs) * intervalMs + phase;
}

async function fill() {
  const queue = new Queue(name, { connection });
  const context = { since: '109999999999', etag: 'a'.repeat(166) };
  for (let first = 0; first < jobs; first += batch) {
    const now = Date.now();
    const numbers = Array.from({ length: Math.min(batch, jobs - first) }, (_, at) => first + at);
    await queue.addBulk(
      numbers.map((i) => ({
        name: 'poll',
        data: { i, context },
        opts: { delay: Math.ceil(lastDue(i, now) + intervalMs - now), removeOnComplete: true },
      })),
    );
  }
  return queue;
}

async function usedMemory() {
  const info = await connection.info('memory');
  return Number(/used_memory:(\d+)/.exec(info)[1]);
}

async function lead() {
  const empty = await usedMemory();
  const queue = await fill();
  const results = [];
  const workers = Array.from({ length: number('workers') }, () => cluster.fork());
  const ended = workers.map((worker) => new Promise((resolve) => worker.on('exit', resolve)));
  workers.forEach((worker) => worker.on('message', (result) => results.push(result)));
  await sleep((number('warm-up-s') + number('seconds')) * 1000);
  const memory = (await usedMemory()) - empty;
  await Promise.all(ended);
  if (results.length !== workers.length) throw new Error('a worker ended without a result');
  const lateness = results.flatMap((result) => result.lateness).sort((a, b) => a - b);
  const sum = (of) => results.reduce((total, result) => total + of(result), 0);
  const line = {
    per_s: sum((result) => result.runs / result.took_s),
    p99_ms: lateness[Math.floor(lateness.length * 0.99)] ?? 0,
    resident_bytes: sum((result) => result.resident),
    redis_bytes: memory,
  };
  console.log(JSON.stringify(line));
  await queue.close();
  connection.disconnect();
}

async function work() {
  const queue = new Queue(name, { connection });
  let runs = 0;
  let counting = false;
  const lateness = [];
  const run = async (job, token) => {
    const now = Date.now();
    const due = lastDue(job.data.i, now);
    if (counting) {
      runs += 1;
      lateness.push(now - due);
    }
    if (values.again === 'move') {
      await job.moveToDelayed(Math.ceil(due + intervalMs), token);
      throw new DelayedError();
    }
    const delay = Math.max(0, Math.ceil(due + intervalMs - Date.now()));
    await queue.add('poll', job.data, { delay, removeOnComplete: true });
  };
  const worker = new Worker(name, run, { connection, concurrency });
  worker.on('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  await sleep(number('warm-up-s') * 1000);
  const began = performance.now();
  counting = true;
  await sleep(number('seconds') * 1000);
  counting = false;
  const tookS = (performance.now() - began) / 1000;
  process.send({ runs, took_s: tookS, lateness, resident: process.memoryUsage().rss }, () => process.exit(0));
}

await (cluster.isPrimary ? lead() : work());

"""N recurring jobs with a context of 200 bytes on Celery with Redis: each finds nothing, and is due again an interval later.

    python polls.py URL JOBS INTERVAL_MS WARM_UP_S SECONDS PROCESSES

Ends with one line of JSON. A job puts itself back with a countdown, as Celery's guide has it for tasks to come. A worker
takes tasks to come from the queue as they are sent, and keeps them in its own memory until they are due.
"""

import json
import os
import signal
import subprocess
import sys
import time

import redis
from celery import Celery

URL = os.environ.get("PEER_URL") or sys.argv[1]
JOBS = int(os.environ.get("PEER_JOBS") or sys.argv[2])
INTERVAL_S = int(os.environ.get("PEER_INTERVAL_MS") or sys.argv[3]) / 1000
CONTEXT = {"since": "109999999999", "etag": "a" * 166}
COUNTS = "peer:runs"
LATENESS = "peer:lateness"
COUNTING = "peer:counting"

app = Celery("polls", broker=URL)
app.conf.update(
    task_ignore_result=True,  # nobody asks for results
    task_acks_late=True,  # at least once
    worker_prefetch_multiplier=0,  # all that are to come: else those block what is due
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    broker_transport_options={"visibility_timeout": 3600},
    broker_pool_limit=10,
)
runs = 0
lateness = []
told_s = 0.0
counting = False
server = None


def tell(now_s):
    """Adds what this process has counted, twice a second."""
    global runs, lateness, told_s, counting, server
    server = server or redis.Redis.from_url(URL)
    if counting and runs:
        pipe = server.pipeline()
        pipe.incrby(COUNTS, runs)
        pipe.rpush(LATENESS, *lateness)
        pipe.execute()
    counting = bool(server.exists(COUNTING))
    runs, lateness, told_s = 0, [], now_s


@app.task(name="poll")
def poll(number, due_s, context):
    """Polls nothing, and comes again."""
    global runs
    now_s = time.time()
    runs += 1
    lateness.append(round((now_s - due_s) * 1000))
    if now_s - told_s > 0.5:
        tell(now_s)
    next_s = max(due_s + INTERVAL_S, now_s)
    poll.apply_async((number, next_s, context), countdown=max(next_s - now_s, 0.001))


def children(parent):
    """The processes of a worker."""
    with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as pids:
        return [int(pid) for pid in pids.read().split()]


def resident_bytes(parent):
    """Of the worker and its processes."""
    total = 0
    for pid in [parent, *children(parent)]:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            total += next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) * 1024
    return total


def main():
    warm_up_s, seconds, processes = (int(argument) for argument in sys.argv[4:7])
    control = redis.Redis.from_url(URL)
    empty = control.info("memory")["used_memory"]
    start_s = time.time()
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(JOBS):
            due_s = start_s + INTERVAL_S * number / JOBS
            poll.apply_async((number, due_s, CONTEXT), countdown=max(due_s - time.time(), 0.001), producer=producer)
    environment = {**os.environ, "PEER_URL": URL, "PEER_JOBS": str(JOBS), "PEER_INTERVAL_MS": str(int(INTERVAL_S * 1000))}
    command = [sys.executable, "-m", "celery", "-A", "polls", "worker", "--concurrency", str(processes)]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR", "-O", "fair"]
    worker = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        time.sleep(warm_up_s)
        control.set(COUNTING, 1)
        time.sleep(1)
        before, began_s = int(control.get(COUNTS) or 0), time.time()
        time.sleep(seconds)
        after, ended_s = int(control.get(COUNTS) or 0), time.time()
        late = sorted(int(ms) for ms in control.lrange(LATENESS, 0, -1))
        control.delete(LATENESS)
        print(json.dumps({
            "per_s": (after - before) / (ended_s - began_s),
            "p99_ms": late[len(late) * 99 // 100] if late else 0,
            "resident_bytes": resident_bytes(worker.pid),
            "redis_bytes": control.info("memory")["used_memory"] - empty,
        }))
    finally:
        # Ended at once: it would first give back all that is to come, one by one.
        for pid in children(worker.pid):
            os.kill(pid, signal.SIGKILL)
        worker.kill()
        worker.wait(10)


if __name__ == "__main__":
    main()

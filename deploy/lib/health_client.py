"""A client of grpc.health.v1 that is not ours, against a plain server of tonic that attached health by one line.

    health_client.py SERVER PROBE

SERVER is the example health_server, PROBE is health-probe. Only loopback is contacted.
"""

import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

Status = health_pb2.HealthCheckResponse
PATIENCE_S = 10
SERVER, PROBE = map(os.path.abspath, sys.argv[1:3])


class Watching:
    """A stream of Watch, and what it tells."""

    END = "end"

    def __init__(self, stub, service):
        self.call = stub.Watch(health_pb2.HealthCheckRequest(service=service))
        self.told = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        try:
            for answer in self.call:
                self.told.put(Status.ServingStatus.Name(answer.status))
            self.told.put(self.END)
        except grpc.RpcError as error:
            self.told.put(error.code().name)

    def next(self):
        return self.told.get(timeout=PATIENCE_S)


class ForeignClient(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.switch = Path(folder.name, "not-ready")
        arguments = [SERVER, "127.0.0.1:0", "127.0.0.1:0"]
        self.server = subprocess.Popen(arguments, cwd=folder.name, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self._end)
        line = self.server.stdout.readline()
        self.grpc, self.http = re.fullmatch(r"grpc (\S+), http (\S+)\n", line).groups()
        self.channel = grpc.insecure_channel(self.grpc)
        self.addCleanup(self.channel.close)
        self.stub = health_pb2_grpc.HealthStub(self.channel)

    def _end(self):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()

    def check(self, service):
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            return Status.ServingStatus.Name(self.stub.Check(request, timeout=PATIENCE_S).status)
        except grpc.RpcError as error:
            return error.code().name

    def probe(self, *arguments):
        return subprocess.run([PROBE, "--timeout", f"{PATIENCE_S}s", *arguments], capture_output=True).returncode

    def test_check_answers_as_checks_flip(self):
        names = ("", "readiness", "liveness", "demo.Greeter", "demo.Stranger")
        asked = lambda: [self.check(name) for name in names]
        self.assertEqual(asked(), ["SERVING"] * 4 + ["NOT_FOUND"])
        self.switch.touch()
        self.assertEqual(asked(), ["NOT_SERVING", "NOT_SERVING", "SERVING", "NOT_SERVING", "NOT_FOUND"])
        self.switch.unlink()
        self.assertEqual(asked(), ["SERVING"] * 4 + ["NOT_FOUND"])

    def test_watch_tells_each_change_and_ends_with_the_server(self):
        ready, alive, stranger = (Watching(self.stub, name) for name in ("", "liveness", "demo.Stranger"))
        self.assertEqual([one.next() for one in (ready, alive, stranger)], ["SERVING", "SERVING", "SERVICE_UNKNOWN"])
        for _ in range(3):
            self.switch.touch()
            self.assertEqual(ready.next(), "NOT_SERVING")
            self.switch.unlink()
            self.assertEqual(ready.next(), "SERVING")
        self.server.terminate()
        self.assertEqual([ready.next(), ready.next()], ["NOT_SERVING", Watching.END])
        # Nothing else was told in between.
        self.assertEqual([alive.next(), stranger.next()], [Watching.END, Watching.END])
        self.assertEqual(self.server.wait(PATIENCE_S), 0)

    def test_the_exec_probe_says_it_by_its_exit_code(self):
        over_grpc, over_http = ("--addr", self.grpc), ("--http", f"http://{self.http}/readyz")
        alive = (("--addr", self.grpc, "--service", "liveness"), ("--http", f"http://{self.http}/healthz"))
        asked = lambda: [self.probe(*one) for one in (over_grpc, over_http, *alive)]
        self.assertEqual(asked(), [0, 0, 0, 0])
        self.switch.touch()
        self.assertEqual(asked(), [4, 4, 0, 0])
        self.switch.unlink()
        self.assertEqual(asked(), [0, 0, 0, 0])
        self._end()
        self.assertEqual(asked(), [2, 2, 2, 2])

    def test_the_service_beside_it_answers_as_before(self):
        greet = self.channel.unary_unary("/demo.Greeter/Greet")
        self.assertEqual(greet(b"", timeout=PATIENCE_S), b"")


unittest.main(argv=sys.argv[:1], verbosity=2)

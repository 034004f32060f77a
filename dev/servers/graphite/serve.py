"""Graphite in one process, on loopback: serve.py FOLDER WEB_PORT.

carbon-cache takes lines and keeps them below FOLDER, where its configuration is; the web application renders them at
WEB_PORT. dev/lib/graphite.sh starts this.
"""

import os
import sys
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

folder, web_port = sys.argv[1:]
os.environ["GRAPHITE_ROOT"] = os.environ["GRAPHITE_STORAGE_DIR"] = folder


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, *_):
        """Nobody reads a log of each request."""


def serve_web():
    os.environ["GRAPHITE_SETTINGS_MODULE"] = "web_settings"
    os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
    from django.core.wsgi import get_wsgi_application

    server = make_server("127.0.0.1", int(web_port), get_wsgi_application(), Server, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def serve_carbon():
    from carbon.util import run_twistd_plugin

    sys.argv = ["carbon-cache", "--nodaemon", f"--config={folder}/carbon.conf", f"--logdir={folder}", "start"]
    run_twistd_plugin("carbon-cache")


serve_web()
serve_carbon()

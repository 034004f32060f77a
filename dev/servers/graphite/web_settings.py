"""Settings of Graphite's web application. It reads carbon's files, and asks carbon for nothing."""

import os

SECRET_KEY = "local"
ALLOWED_HOSTS = ["*"]
CARBONLINK_HOSTS = []
LOG_DIR = os.environ["GRAPHITE_STORAGE_DIR"]
LOG_ROTATION = False
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}  # what is not there may soon be

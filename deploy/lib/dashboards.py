"""Whether Grafana's own models know every field of the dashboards: dashboards.py FILE...

A file is read into them, and written again: what they do not know is lost on the way. Exit code 1 if anything is.
"""

import enum
import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def plain(model):
    """What a model writes, as JSON has it."""
    if isinstance(model, enum.Enum):
        return model.value
    if hasattr(model, "to_json"):
        return plain(model.to_json())
    if isinstance(model, dict):
        return {key: plain(value) for key, value in model.items()}
    if isinstance(model, list):
        return [plain(value) for value in model]
    return model


def lost(written, known, path=""):
    """The paths of what is written and not known."""
    if isinstance(written, dict) and isinstance(known, dict):
        for key, value in written.items():
            yield from lost(value, known[key], f"{path}.{key}") if key in known else [f"{path}.{key}"]
    elif isinstance(written, list) and isinstance(known, list) and len(written) == len(known):
        for number, pair in enumerate(zip(written, known)):
            yield from lost(*pair, f"{path}[{number}]")
    elif written != known:
        yield path


plugins.register_default_plugins()
problems = []
for file in sys.argv[1:]:
    dashboard = json.loads(Path(file).read_text())
    problems += [f"{file}: Grafana does not know {path}" for path in lost(dashboard, plain(Dashboard.from_json(dashboard)))]
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(bool(problems))

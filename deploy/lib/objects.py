"""Whether objects of kinds that are not Kubernetes' own are as their definitions want them, unknown fields refused.

    objects.py CRDS FILE...

CRDS is a folder of CustomResourceDefinitions. Tells each object; exit code 1 if one is wrong. Kubernetes' own kinds
are left to kubernetes-validate.
"""

import sys
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

OURS = ("keda.sh/", "monitoring.coreos.com/")
# What the API server adds to each definition.
OBJECT = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


def strict(schema):
    """The schema, with unknown fields refused where it names fields, as the API server prunes them."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        closed.pop("type", None)
        closed["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if named and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed["additionalProperties"] = False
    return closed


def definitions(folder):
    found = {}
    for path in Path(folder).glob("*.yaml"):
        for crd in filter(None, yaml.safe_load_all(path.read_text())):
            spec = crd["spec"]
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"] |= OBJECT
                key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                found[key] = Draft202012Validator(schema)
    return found


def main(folder, *files):
    known, wrong = definitions(folder), 0
    for path in files:
        for one in filter(None, yaml.safe_load_all(Path(path).read_text())):
            api, kind, name = one["apiVersion"], one["kind"], one["metadata"]["name"]
            if not api.startswith(OURS):
                continue
            validator = known.get((api, kind))
            problems = ["no definition of this kind"] if validator is None else [
                f"{error.json_path}: {error.message}" for error in validator.iter_errors(one)
            ]
            for problem in problems:
                print(f"ERROR {path}: {kind}/{name}: {problem}", file=sys.stderr)
            wrong += len(problems)
            if not problems:
                print(f"INFO {path} passed for {kind.lower()}/{name}")
    return wrong > 0


sys.exit(main(*sys.argv[1:]))

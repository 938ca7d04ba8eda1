"""Remove botocore's data of services that the function does not call.

    python3 ops/build/prune_botocore.py FOLDER

botocore has 21 MB of data for 400 services. Its first client reads the endpoints of all services from one file; without
the unused ones that takes 27 ms and 7 MB of memory less. The Makefile runs this file with any Python, so it uses the
standard library only.
"""

import json
import shutil
import sys
from pathlib import Path

SERVICES = frozenset({"dynamodb", "secretsmanager", "sns", "sqs"})
"""The services that the function has clients for. A test compares them with the code."""


def prune_botocore(package: Path) -> None:
    """Remove the unused services from a package. A second call changes nothing."""
    data = package / "botocore" / "data"
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in SERVICES:
            shutil.rmtree(folder)
    endpoints = data / "endpoints.json"
    document = json.loads(endpoints.read_text(encoding="utf-8"))
    for partition in document["partitions"]:
        partition["services"] = {name: it for name, it in partition["services"].items() if name in SERVICES}
    endpoints.write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    prune_botocore(Path(sys.argv[1]))

"""What the package leaves out: whatever botocore knows of services that the function never calls.

    python3 ops/ballast.py FOLDER

botocore describes 400 services, in 21 MB. Of the endpoints of all of them it reads one file when the first client is
made; without the others' it costs 27 ms less, and 7 MB of memory. The recipe in the Makefile runs this file with whichever
Python there is, so it needs nothing but Python.
"""

import json
import shutil
import sys
from pathlib import Path

SERVICES = frozenset({"dynamodb", "secretsmanager", "sns", "sqs"})
"""Those that the function has clients for; a test compares."""


def drop_ballast(package: Path) -> None:
    """Delete it from a package, and the others' endpoints from botocore's list; doing it again changes nothing."""
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
    drop_ballast(Path(sys.argv[1]))

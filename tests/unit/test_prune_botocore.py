"""ops/build/prune_botocore.py: the services that the function calls still work."""

import shutil
from collections.abc import Callable
from pathlib import Path

import botocore
import pytest
from botocore.loaders import Loader
from botocore.session import Session

from ops.build.prune_botocore import SERVICES, prune_botocore

REGIONS = ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1", "an-unknown-region-1"]
Endpoint = Callable[[str, str], str]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with the pruned data of botocore."""
    package = tmp_path_factory.mktemp("package")
    shutil.copytree(Path(botocore.__file__).parent / "data", package / "botocore" / "data")
    prune_botocore(package)
    return package


def endpoint(session: Session, service: str, region: str) -> str:
    """Return the endpoint of a client in a region."""
    client = session.create_client(service, region, aws_access_key_id="none", aws_secret_access_key="none")
    return str(client.meta.endpoint_url)


def session_with_data(folder: Path) -> Session:
    """Make a session that reads its data from this folder only."""
    session = Session()
    session.register_component("data_loader", Loader([str(folder)], include_default_search_paths=False))
    return session


@pytest.mark.parametrize("region", REGIONS)
def test_clients_have_the_same_endpoints_with_pruned_data(package: Path, region: str) -> None:
    """The regions cover all partitions."""
    pruned = session_with_data(package / "botocore" / "data")
    assert {it: endpoint(Session(), it, region) for it in SERVICES} == {
        it: endpoint(pruned, it, region) for it in SERVICES
    }


def test_second_run_changes_nothing(package: Path) -> None:
    before = {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}
    prune_botocore(package)
    assert before == {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}

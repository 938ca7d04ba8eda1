"""What the package leaves out changes nothing for the services that the function calls."""

import shutil
from collections.abc import Callable
from pathlib import Path

import botocore
import pytest
from botocore.loaders import Loader
from botocore.session import Session

from ops.ballast import SERVICES, drop_ballast

REGIONS = ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1", "a-region-that-came-later-1"]
Endpoint = Callable[[str, str], str]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with botocore's data as the package has it."""
    package = tmp_path_factory.mktemp("package")
    shutil.copytree(Path(botocore.__file__).parent / "data", package / "botocore" / "data")
    drop_ballast(package)
    return package


def endpoint(session: Session, service: str, region: str) -> str:
    """Where a client of a service in a region sends its requests."""
    client = session.create_client(service, region, aws_access_key_id="none", aws_secret_access_key="none")
    return str(client.meta.endpoint_url)


def reading(folder: Path) -> Session:
    """A session that reads its data from this folder alone."""
    session = Session()
    session.register_component("data_loader", Loader([str(folder)], include_default_search_paths=False))
    return session


@pytest.mark.parametrize("region", REGIONS)
def test_clients(package: Path, region: str) -> None:
    """Each calls the same address as one that has all of botocore's data, in every partition."""
    trimmed = reading(package / "botocore" / "data")
    assert {it: endpoint(Session(), it, region) for it in SERVICES} == {
        it: endpoint(trimmed, it, region) for it in SERVICES
    }


def test_twice(package: Path) -> None:
    """Leaving out what is left out already changes nothing."""
    before = {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}
    drop_ballast(package)
    assert before == {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}

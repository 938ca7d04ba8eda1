"""Removal of debug information: a module that is cut still loads, and is smaller."""

import shutil
import subprocess
import sys
from pathlib import Path

import ada_url
import pytest

from ops.build.strip_debug import strip_debug


def test_cut_module_still_works_and_is_smaller(tmp_path: Path) -> None:
    package = tmp_path / "ada_url"
    shutil.copytree(Path(ada_url.__file__).parent, package)
    [module] = package.glob("*.so")
    before = module.stat().st_size
    strip_debug(tmp_path)
    code = "import ada_url; print(ada_url.__file__, ada_url.URL('http://B\u00fccher.example/').hostname)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"{package / '__init__.py'} xn--bcher-kva.example" == done.stdout.strip()
    assert module.stat().st_size < before / 2


def test_second_cut_changes_nothing(tmp_path: Path) -> None:
    [module] = Path(ada_url.__file__).parent.glob("*.so")
    shutil.copy(module, tmp_path)
    strip_debug(tmp_path)
    [cut] = tmp_path.iterdir()
    once = cut.read_bytes()
    strip_debug(tmp_path)
    assert once == cut.read_bytes()


def test_file_of_another_format_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "other.so").write_bytes(b"MZ\x90\x00")
    with pytest.raises(ValueError, match=r"^other\.so is not a 64-bit ELF file$"):
        strip_debug(tmp_path)

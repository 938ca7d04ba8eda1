"""Remove debug information from the compiled modules of a package.

The module of ada-url has 4.6 of 5.7 MB of it, for each architecture. `strip` of one architecture does not read the files of
another, so this cuts a file after its last segment: the loader reads segments only, and debug information follows them.

    python strip_debug.py FOLDER
"""

import struct
import sys
from pathlib import Path

_MAGIC = b"\x7fELF\x02\x01"
"""ELF, 64 bits, little endian: x86_64 and aarch64."""
_SECTION_TABLE, _SECTION_COUNT = slice(40, 48), slice(60, 64)
"""Fields of the header: where the table of sections is, and its count and index of names."""


def strip_debug(folder: Path) -> None:
    """Cut all compiled modules of a folder. Raises ValueError for a file of another format."""
    for path in folder.rglob("*.so"):
        path.write_bytes(_stripped(path.read_bytes(), path.name))


def _stripped(module: bytes, name: str) -> bytes:
    if not module.startswith(_MAGIC):
        raise ValueError(f"{name} is not a 64-bit ELF file")
    [segments] = struct.unpack_from("<Q", module, 32)
    size, count = struct.unpack_from("<HH", module, 54)
    headers = (struct.unpack_from("<IIQQQQ", module, segments + size * i) for i in range(count))
    end = max(offset + length for _, _, offset, _, _, length in headers)
    cut = bytearray(module[:end])
    cut[_SECTION_TABLE] = bytes(8)
    cut[_SECTION_COUNT] = bytes(4)
    return bytes(cut)


if __name__ == "__main__":
    strip_debug(Path(sys.argv[1]))

"""What pip installs for somebody's requirements: worked out from what is installed here, without a network.

The versions are those that the tests' requirements pin, for every subject alike.
"""

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackagePath, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(requires: Iterable[str]) -> list[Distribution]:
    """The distributions that are required, and those that they require in turn, by name."""
    found: dict[str, Distribution] = {}
    ahead = [Requirement(it) for it in requires]
    while ahead:
        requirement = ahead.pop()
        name = canonicalize_name(requirement.name)
        if name in found and not requirement.extras:
            continue
        found[name] = distribution(name)
        needs = map(Requirement, found[name].requires or ())
        extras = requirement.extras or {""}
        ahead += [it for it in needs if not it.marker or any(it.marker.evaluate({"extra": extra}) for extra in extras)]
    return [found[name] for name in sorted(found)]


def pins(requires: Iterable[str]) -> list[str]:
    """The same, as requirements that leave pip nothing to resolve."""
    return [f"{canonicalize_name(it.name)}=={it.version}" for it in closure(requires)]


def shipped(distribution: Distribution) -> Iterator[PackagePath]:
    """The files of a distribution that a package holds: as its wheel has them, without byte code and commands."""
    for path in distribution.files or ():
        if path.suffix != ".pyc" and ".." not in path.parts:
            yield path

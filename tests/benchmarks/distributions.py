"""The distributions that pip installs for a subject's requirements, computed without network access.

All subjects get the installed versions, which the requirements of the tests pin.
"""

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackagePath, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(requires: Iterable[str]) -> list[Distribution]:
    """Return the required distributions and their dependencies, sorted by name."""
    found: dict[str, Distribution] = {}
    pending = [Requirement(it) for it in requires]
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        if name in found and not requirement.extras:
            continue
        found[name] = distribution(name)
        needs = map(Requirement, found[name].requires or ())
        extras = requirement.extras or {""}
        pending += [
            it for it in needs if not it.marker or any(it.marker.evaluate({"extra": extra}) for extra in extras)
        ]
    return [found[name] for name in sorted(found)]


def pins(requires: Iterable[str]) -> list[str]:
    """Return the same distributions as pinned requirements, so that pip resolves nothing."""
    return [f"{canonicalize_name(it.name)}=={it.version}" for it in closure(requires)]


def shipped(distribution: Distribution) -> Iterator[PackagePath]:
    """Yield a distribution's files in a package: those of its wheel, without byte code and commands."""
    for path in distribution.files or ():
        if path.suffix != ".pyc" and ".." not in path.parts:
            yield path

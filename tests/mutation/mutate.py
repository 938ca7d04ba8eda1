"""Change a sample of the function's code, one place at a time, and list the changes that no unit test notices.

Run it with `make mutate`, or `make mutate MUTATE="--seed 7 --sample 40"`. It changes a copy of the sources, never the
sources. A mutant whose tests fail or exceed LONGEST_RUN is killed; the others survive. The exit status is 0 either way:
a survivor is a question to a reader, because a mutant can be equivalent to its original.
A mutant that does not compile counts as killed; these are 2 of 730.

Cosmic Ray finds the places and makes the changes. Its own runner starts a process for each mutant, which takes seconds;
a fork of a process that has imported the libraries takes a fraction of one.
"""

import argparse
import io
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import aws_lambda_powertools.utilities.data_classes  # noqa: F401  imported once, for all forks
import boto3  # noqa: F401
import jsonschema  # noqa: F401
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from hypothesis import Phase, settings

TESTS = {
    "alert/chat": "chat",
    "alert/email_text": "email_text",
    "alert/mask": "mask",
    "alert/plain_text": "plain_text",
    "cloudflare/credentials": "credentials",
    "cloudflare/envelope": "envelope",
    "cloudflare/excerpt": "excerpt",
    "cloudflare/pace": "pace",
    "cloudflare/recipients": "recipients",
    "escalate/chunks": "chunks",
    "escalate/decision": "decision",
    "escalate/message": "message",
    "escalate/request": "request",
    "escalate/settings": "settings",
    "escalate/settlement": "settlement",
    "escalate/severity": "severity",
    "escalate/verdict": "verdict",
    "ledger/keys": "keys",
    "ledger/pointers": "pointers",
    "ledger/standing": "standing",
}
"""Modules of functions/, each with its tests/unit/test_*.py; several names are separated by spaces."""

COMPARISONS = "Eq_NotEq NotEq_Eq Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt Is_IsNot IsNot_Is"
ARITHMETIC = "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul"
OPERATORS = (
    *(f"core/ReplaceComparisonOperator_{it}" for it in COMPARISONS.split()),
    *(f"core/ReplaceBinaryOperator_{it}" for it in ARITHMETIC.split()),
    *(f"core/{it}" for it in ("AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceUnaryOperator_Delete_Not")),
    *(f"core/{it}" for it in ("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "NumberReplacer")),
)
LONGEST_RUN = 120.0
"""Seconds. The slowest of the test files takes 15 on an idle machine."""
COPIED = ("functions", "ops", "tests", "schemas", "events", "pyproject.toml", "template.yaml", "samconfig.toml")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one operator of Cosmic Ray's can change a module."""

    module: str
    operator: str
    occurrence: int

    def change(self, source: str) -> tuple[str, int, str]:
        """The changed module, the number of the changed line, and that line before and after."""
        code: str = mutate_code(source, get_operator(self.operator)(), self.occurrence)
        lines = enumerate(zip(source.splitlines(), code.splitlines(), strict=True), 1)
        line, (before, after) = next((line, pair) for line, pair in lines if pair[0] != pair[1])
        return code, line, f"{before.strip()}  ->  {after.strip()}"


def places(module: str, source: str) -> list[Place]:
    """Every place in a module."""
    found, nodes = [], [*ast_nodes(get_ast(source))]
    for name in OPERATORS:
        positions = sum(1 for node in nodes for _ in get_operator(name)().mutation_positions(node))
        found += [Place(module, name, occurrence) for occurrence in range(positions)]
    return found


def run_tests(copy: Path, files: list[str]) -> None:
    """Exit with pytest's status. Runs in a fork, so that each run imports the function anew."""
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    # Examples are the same for every mutant, and are not made smaller: only whether a test fails matters here.
    settings.register_profile(
        "mutation",
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=30,
        phases=[Phase.explicit, Phase.generate],
    )
    settings.load_profile("mutation")
    # Without conftest.py, which imports the emulated AWS that no unit test needs.
    options = ["-x", "-q", "--noconftest", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        status = pytest.main([*options, *files])
    os._exit(status)


def passes(copy: Path, files: list[str]) -> bool:
    """Whether the tests pass in time."""
    process = multiprocessing.get_context("fork").Process(target=run_tests, args=(copy, files))
    process.start()
    process.join(LONGEST_RUN)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == pytest.ExitCode.OK


def main() -> None:
    """Print each survivor as file:line with its change, then the counts of each module."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="which sample (default: %(default)s)")
    parser.add_argument("--sample", type=int, default=150, help="mutants to test (default: %(default)s)")
    parser.add_argument("--module", choices=sorted(TESTS), help="only this module of functions/")
    args = parser.parse_args()
    sys.dont_write_bytecode = True  # Python would take byte code of the same second and size for the mutant's
    tests = {
        f"functions/{module}.py": [f"tests/unit/test_{name}.py" for name in names.split()]
        for module, names in TESTS.items()
        if args.module in (None, module)
    }
    sources = {module: Path(module).read_text("utf-8") for module in tests}
    every = [it for module, source in sources.items() for it in places(module, source)]
    sample = random.Random(args.seed).sample(every, min(args.sample, len(every)))
    print(f"{len(sample)} of {len(every)} mutants in {len(tests)} modules, seed {args.seed}", flush=True)
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            (shutil.copytree if Path(name).is_dir() else shutil.copy)(name, copy / name)
        for module, source in sources.items():
            if not passes(copy, tests[module]):
                sys.exit(f"{' '.join(tests[module])} fails without a change. Run it with pytest and repair it first.")
            chosen = [it for it in sample if it.module == module]
            alive = []
            for code, line, change in (it.change(source) for it in chosen):
                (copy / module).write_text(code, "utf-8")
                if passes(copy, tests[module]):
                    alive.append((line, change))
            (copy / module).write_text(source, "utf-8")
            print(f"{module:36}{len(chosen) - len(alive):4} killed{len(alive):4} survived", flush=True)
            for line, change in sorted(alive):
                print(f"  {module}:{line}  {change}", flush=True)
            survived += len(alive)
    print(f"{len(sample) - survived} killed, {survived} survived")


if __name__ == "__main__":
    main()

"""Mutate a sample of the function's code, and list the mutants that no unit test detects.

Run it with `make mutate`, or `make mutate MUTATE="--seed 7 --sample 40"`. It changes a copy of the sources. A mutant
whose tests fail or exceed MAX_RUN_SECONDS is killed; the others survive. The exit status is 0 in both cases, because a
mutant can be equivalent to the original: a person must check each survivor. A mutant that does not compile counts as
killed; these are 2 of 730.

Cosmic Ray finds the places and makes the changes. Its own runner starts a process for each mutant, which takes seconds.
A fork of a process that has imported the libraries takes a fraction of a second.
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

import aws_lambda_powertools.utilities.data_classes  # noqa: F401  # imported once, for all forks
import boto3  # noqa: F401
import jsonschema  # noqa: F401
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from hypothesis import Phase, settings

TESTS = {
    "aws": "aws_chunks",
    "alert/chat": "chat",
    "alert/email_text": "email_text",
    "alert/mask": "mask",
    "alert/sanitize": "sanitize",
    "cloudflare/credentials": "credentials",
    "cloudflare/rate_limiter": "rate_limiter",
    "cloudflare/response": "response",
    "domain/email_state": "email_state",
    "domain/recipients": "recipients",
    "domain/severity": "severity",
    "domain/truncate": "truncate",
    "escalate/decision": "decision verdicts",
    "escalate/finish": "finish",
    "escalate/request": "request",
    "escalate/retries": "finish",
    "escalate/settings": "settings",
    "escalate/sqs_message": "sqs_message",
    "ledger/claim": "claim",
    "ledger/email_item": "email_item",
    "ledger/keys": "keys",
}
"""Modules of functions/, each with the names of its tests/unit/test_*.py, separated by spaces."""

COMPARISONS = "Eq_NotEq NotEq_Eq Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt Is_IsNot IsNot_Is"
ARITHMETIC = "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul"
OPERATORS = (
    *(f"core/ReplaceComparisonOperator_{it}" for it in COMPARISONS.split()),
    *(f"core/ReplaceBinaryOperator_{it}" for it in ARITHMETIC.split()),
    *(f"core/{it}" for it in ("AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceUnaryOperator_Delete_Not")),
    *(f"core/{it}" for it in ("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "NumberReplacer")),
)
MAX_RUN_SECONDS = 120.0
"""The slowest test file takes 15 s on an idle machine."""
COPIED = ("functions", "ops", "tests", "schemas", "events", "pyproject.toml", "template.yaml", "samconfig.toml")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a module that an operator of Cosmic Ray can change."""

    module: str
    operator: str
    occurrence: int

    def change(self, source: str) -> tuple[str, int, str]:
        """Return the changed module, the number of the changed line, and the line before and after."""
        code: str = mutate_code(source, get_operator(self.operator)(), self.occurrence)
        lines = enumerate(zip(source.splitlines(), code.splitlines(), strict=True), 1)
        line, (before, after) = next((line, pair) for line, pair in lines if pair[0] != pair[1])
        return code, line, f"{before.strip()}  ->  {after.strip()}"


def places(module: str, source: str) -> list[Place]:
    """Find all places in a module."""
    found, nodes = [], [*ast_nodes(get_ast(source))]
    for name in OPERATORS:
        positions = sum(1 for node in nodes for _ in get_operator(name)().mutation_positions(node))
        found += [Place(module, name, occurrence) for occurrence in range(positions)]
    return found


def run_tests(copy: Path, files: list[str]) -> None:
    """Run tests and exit with pytest's status. Each run is a fork, so that it imports the mutated module."""
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    # Examples are the same for all mutants. They are not shrunk, because only the failure matters.
    settings.register_profile(
        "mutation",
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=30,
        phases=[Phase.explicit, Phase.generate],
    )
    settings.load_profile("mutation")
    # Without conftest.py, which imports the emulated AWS. These unit tests do not need it.
    options = ["-x", "-q", "--noconftest", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        status = pytest.main([*options, *files])
    os._exit(status)


def passes(copy: Path, files: list[str]) -> bool:
    """Run tests in a fork. Returns whether they pass within the timeout."""
    process = multiprocessing.get_context("fork").Process(target=run_tests, args=(copy, files))
    process.start()
    process.join(MAX_RUN_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == pytest.ExitCode.OK


def main() -> None:
    """Print the counts of each module, and each survivor as file:line with its change."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample (default: %(default)s)")
    parser.add_argument("--sample", type=int, default=150, help="mutants to test (default: %(default)s)")
    parser.add_argument("--module", choices=sorted(TESTS), help="only this module of functions/")
    args = parser.parse_args()
    sys.dont_write_bytecode = True  # Python would reuse byte code if a mutant has the same second and size
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
                sys.exit(
                    f"{' '.join(tests[module])} fails without a mutation. Run it with pytest, and correct it first."
                )
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

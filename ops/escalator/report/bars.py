"""A table that draws a bar in each of its rows: the numbers are its own alternative."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ops.escalator.report.markup import escaped


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: what is counted, how many, and a mark behind the name. parts: the bar's pieces as (class, count).

    search: whether the name is a button that looks for it in the list.
    """

    name: str
    count: int
    parts: Sequence[tuple[str, int]] = ()
    mark: str = ""
    search: bool = False


def bar_table(heading: str, counted: str, bars: Iterable[Bar]) -> str:
    """A table with one bar for each row, the longest of which fills its cell. counted: what the numbers count."""
    rows = list(bars)
    longest = max((bar.count for bar in rows), default=0) or 1
    body = "".join(_row(bar, longest) for bar in rows)
    return (
        f'<table class="bars"><thead class="unseen"><tr><th scope="col">{escaped(heading)}</th>'
        f'<th scope="col">{escaped(counted)}</th></tr></thead><tbody>{body}</tbody></table>'
    )


def _row(bar: Bar, longest: int) -> str:
    name = escaped(bar.name)
    label = f'<button type="button" class="find">{name}</button>' if bar.search else f"<span>{name}</span>"
    mark = f' <span class="mark">{escaped(bar.mark)}</span>' if bar.mark else ""
    return f'<tr><th scope="row">{label}{mark}{_drawn(bar, longest)}</th><td class="number">{bar.count:,}</td></tr>'


def _drawn(bar: Bar, longest: int) -> str:
    pieces, at = [], 0
    for style, count in bar.parts or (("plain", bar.count),):
        if count:
            x, width = 100 * at / longest, 100 * count / longest
            pieces.append(f'<rect class="{style}" x="{x:.2f}%" width="{width:.2f}%" height="100%"/>')
        at += count
    return f'<svg class="bar" width="100%" height="6" aria-hidden="true">{"".join(pieces)}</svg>'

"""The report's charts as SVG: a bar in each row of a table, and a stacked bar for each day or week."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ops.escalator.report.escape import escaped

_KNOWN = {"MALICIOUS": "malicious", "MALICIOUS-BEC": "bec", "SUSPICIOUS": "suspicious"}
_MAX_OTHERS = 2
"""Other dispositions with their own colour. Readers can distinguish five colours; the rest share one."""


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart, and the dispositions that it represents."""

    name: str
    style: str
    dispositions: frozenset[str]

    def count(self, counts: Mapping[str, int]) -> int:
        """The sum of this series among counts by disposition."""
        return sum(counts[it] for it in self.dispositions & counts.keys())


def series_of(dispositions: Counter[str]) -> list[Series]:
    """The known dispositions that occur, the most frequent others, and one series for the rest."""
    known = [Series(name, style, frozenset({name})) for name, style in _KNOWN.items() if dispositions[name]]
    unlisted = [name for name, count in dispositions.most_common() if count and name not in _KNOWN]
    more = [Series(name, f"more{n}", frozenset({name})) for n, name in enumerate(unlisted[:_MAX_OTHERS])]
    rest = frozenset(unlisted[_MAX_OTHERS:])
    return known + more + ([Series(f"{len(rest)} others", "other", rest)] if rest else [])


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a name, its count, and a mark after the name.

    parts: the pieces of the bar as (class, count). search: whether the name is a button that searches the list.
    """

    name: str
    count: int
    parts: Sequence[tuple[str, int]] = ()
    mark: str = ""
    search: bool = False


def bar_table(heading: str, counted: str, bars: Iterable[Bar]) -> str:
    """A table with one bar in each row. The longest bar fills its cell. counted: what the numbers count."""
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


_HEIGHT, _TOP, _BOTTOM = 200, 18, 22
"""Pixels: height of the drawing, margin above the highest line, and margin for the day labels."""
_PLOT = _HEIGHT - _TOP - _BOTTOM
_LABELS = 5
"""Day labels that fit on a phone."""
_MIN_SLOTS = 10
"""Bars get at most a tenth of the width: a single bar as wide as the page says nothing."""


def day_chart(bars: Mapping[date, Mapping[str, int]], series: Sequence[Series], each: str) -> str:
    """The chart of counts by bar and disposition, oldest first. each: `day` or `week`."""
    totals = [sum(counts.values()) for counts in bars.values()]
    ceiling = _ceiling(max(totals))
    names = ", ".join(it.name for it in series)
    label = f"Bar chart of escalations per {each} by disposition ({names}). The highest bar is {max(totals)}."
    drawn = "".join(_grid(ceiling)) + "".join(_bars(bars, series, ceiling)) + "".join(_days(list(bars)))
    return (
        f'<svg class="days" width="100%" height="{_HEIGHT}" role="img" aria-label="{escaped(label)}">{drawn}</svg>'
        f"{_legend(series)}{_table(bars, series, each)}"
    )


def _ceiling(highest: int) -> int:
    """The top of the scale: one even digit and zeros, so that half of it is a whole number."""
    scale = int("1" + "0" * (len(str(highest)) - 1))
    return next(top * scale for top in (2, 4, 6, 8, 10) if top * scale >= highest)


def _grid(ceiling: int) -> Iterator[str]:
    for part in (0, 1, 2):
        y = _TOP + _PLOT * (2 - part) / 2
        yield f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        if part:
            yield f'<text x="0" y="{y - 4}">{ceiling * part // 2:,}</text>'


def _step(count: int) -> float:
    """The width of one bar's slot in percent."""
    return 100 / max(count, _MIN_SLOTS)


def _bars(bars: Mapping[date, Mapping[str, int]], series: Sequence[Series], ceiling: int) -> Iterator[str]:
    step = _step(len(bars))
    for n, (day, counts) in enumerate(bars.items()):
        pieces, y = "", float(_TOP + _PLOT)
        for it in series:
            height = _PLOT * it.count(counts) / ceiling
            if height:
                y -= height
                x, width = n * step + step * 0.12, step * 0.76
                pieces += (
                    f'<rect class="{it.style}" x="{x:.3f}%" y="{y:.2f}" width="{width:.3f}%" height="{height:.2f}"/>'
                )
        values = ", ".join(f"{it.count(counts)} {it.name}" for it in series if it.count(counts))
        yield f"<g><title>{_written(day)}: {escaped(values)}</title>{pieces}</g>" if pieces else ""


def _days(days: Sequence[date]) -> Iterator[str]:
    """Labels of some days at even distances, under their bars. The first and the last stay inside the drawing."""
    last = len(days) - 1
    for n in sorted({round(last * part / (_LABELS - 1)) for part in range(_LABELS)}):
        anchor, x = "middle", (n + 0.5) * _step(len(days))
        if len(days) > _MIN_SLOTS and n in (0, last):
            anchor, x = ("start", 0.0) if n == 0 else ("end", 100.0)
        yield f'<text x="{x:.2f}%" y="{_HEIGHT - 5}" text-anchor="{anchor}">{_written(days[n], year=False)}</text>'


def _legend(series: Sequence[Series]) -> str:
    keys = "".join(
        f'<li><svg width="10" height="10" aria-hidden="true"><rect class="{it.style}" width="10" height="10"/></svg>'
        f"{escaped(it.name)}</li>"
        for it in series
    )
    return f'<ul class="legend">{keys}</ul>'


def _table(bars: Mapping[date, Mapping[str, int]], series: Sequence[Series], each: str) -> str:
    head = "".join(f'<th scope="col" class="number">{escaped(it.name)}</th>' for it in series)
    rows = "".join(
        f'<tr><th scope="row">{_written(day)}</th>'
        + "".join(f'<td class="number">{it.count(counts):,}</td>' for it in series)
        + f'<td class="number">{sum(counts.values()):,}</td></tr>'
        for day, counts in bars.items()
    )
    return (
        f'<details class="numbers"><summary>Show as a table</summary>'
        f'<div class="scrolls" tabindex="0" role="region" aria-label="Escalations per {each}"><table>'
        f'<thead><tr><th scope="col">{each.capitalize()}</th>{head}<th scope="col" class="number">all</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _written(day: date, *, year: bool = True) -> str:
    return f"{day.day} {day:%b %Y}" if year else f"{day.day} {day:%b}"

"""Escalations over time: one stacked bar for each day or week, drawn as SVG, and the same numbers as a table."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from ops.escalator.report.markup import escaped
from ops.escalator.report.series import Series

_HEIGHT, _TOP, _BOTTOM = 200, 18, 22
"""Pixels: of the drawing, above its highest line, and below its lowest, where the days stand."""
_PLOT = _HEIGHT - _TOP - _BOTTOM
_LABELS = 5
"""As many days as a phone has room to name."""
_FEWEST = 10
"""Bars that there is room for at the least: a single one as wide as the page says nothing."""


def day_chart(bars: Mapping[date, Mapping[str, int]], series: Sequence[Series], each: str) -> str:
    """The chart of counts by bar and disposition, oldest first; each: what a bar is, day or week."""
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
    """An even number, so that half of it is whole, of one digit and zeros, that no bar passes."""
    scale = int("1" + "0" * (len(str(highest)) - 1))
    return next(top * scale for top in (2, 4, 6, 8, 10) if top * scale >= highest)


def _grid(ceiling: int) -> Iterator[str]:
    for part in (0, 1, 2):
        y = _TOP + _PLOT * (2 - part) / 2
        yield f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        if part:
            yield f'<text x="0" y="{y - 4}">{ceiling * part // 2:,}</text>'


def _step(count: int) -> float:
    """Percent of the width that each of so many bars has."""
    return 100 / max(count, _FEWEST)


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
        told = ", ".join(f"{it.count(counts)} {it.name}" for it in series if it.count(counts))
        yield f"<g><title>{_written(day)}: {escaped(told)}</title>{pieces}</g>" if pieces else ""


def _days(days: Sequence[date]) -> Iterator[str]:
    """Some of the days, evenly, beneath the middle of their bars; the first and the last keep within the drawing."""
    last = len(days) - 1
    for n in sorted({round(last * part / (_LABELS - 1)) for part in range(_LABELS)}):
        anchor, x = "middle", (n + 0.5) * _step(len(days))
        if len(days) > _FEWEST and n in (0, last):
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
        f'<details class="numbers"><summary>The same as a table</summary>'
        f'<div class="scrolls" tabindex="0" role="region" aria-label="Escalations per {each}"><table>'
        f'<thead><tr><th scope="col">{each.capitalize()}</th>{head}<th scope="col" class="number">all</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _written(day: date, *, year: bool = True) -> str:
    return f"{day.day} {day:%b %Y}" if year else f"{day.day} {day:%b}"

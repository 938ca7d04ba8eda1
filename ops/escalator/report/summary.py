"""What was counted over all records, for somebody who has a minute: figures first, then charts, then tables."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ops.escalator.report.bars import Bar, bar_table
from ops.escalator.report.days import day_chart
from ops.escalator.report.markup import escaped
from ops.escalator.report.series import Series, series_of
from ops.escalator.report.shown import duration
from ops.escalator.report.tally import OTHERS, UNKNOWN, Tally, percentile

_TOP = 10
_DELIVERY = {"delivered": "in an inbox", "held": "held back", "unknown": "not known"}
_BOUNDS = {
    1: "under 1 s",
    2: "1 to 2 s",
    5: "2 to 5 s",
    10: "5 to 10 s",
    30: "10 to 30 s",
    60: "30 to 60 s",
    300: "1 to 5 min",
    900: "5 to 15 min",
    3_600: "15 to 60 min",
    21_600: "1 to 6 h",
    float("inf"): "over 6 h",
}
"""Ranges of the time from queued to alerted: under so many seconds."""


def summary(tally: Tally) -> Iterator[str]:
    """The figures and charts as HTML."""
    yield from _figures(tally)
    if not tally.escalations:
        yield '<p class="nothing">Nothing was escalated in this period, so there is nothing to draw.</p>'
        return
    series, each = series_of(tally.dispositions), "day" if tally.period.step.days == 1 else "week"
    yield _panel(f"Escalations per {each}", "wide", day_chart(tally.bars, series, each))
    yield _panel("From queued to alerted", "half", *_speed(tally))
    yield _panel("Delivered or held", "half", *_delivery(tally, series))
    yield _panel("Sender domains", "half", *_top(tally.senders, "Sender domain", "domains"))
    yield _panel("Threat categories", "half", *_top(tally.categories, "Threat category", "categories"))


def accounted(tally: Tally) -> str:
    """One sentence that says what the page is made from."""
    if not tally.records:
        return "No records in this period."
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in tally.outcomes.most_common())
    records = f"{tally.records:,} record{'' if tally.records == 1 else 's'}: {outcomes}."
    listed = f" Figures and charts are of all of them, the list has the first {tally.listed:,}."
    return records + (listed if tally.listed < tally.records else "")


def _figures(tally: Tally) -> Iterator[str]:
    days = max(1, round((tally.period.until - tally.period.since).total_seconds() / 86_400))
    ordered = sorted(tally.seconds)
    quick = duration(percentile(ordered, 50)) if ordered else "\u2013"
    figures = [
        ("Escalations", f"{tally.escalations:,}", f"in {days} day{'' if days == 1 else 's'}"),
        ("Critical", f"{tally.severities['Critical']:,}", "malicious, and in an inbox"),
        ("In an inbox", f"{tally.delivered:,}", _share(tally.delivered, tally.escalations)),
        ("Median to alert", quick, f"95 % within {duration(percentile(ordered, 95))}" if ordered else "none published"),
        ("Still pending", f"{tally.states['PENDING']:,}", "claimed, not known to be sent"),
    ]
    yield '<dl class="figures">'
    for name, value, note in figures:
        grave = ' class="grave"' if name == "Critical" and value != "0" else ""
        yield f"<div{grave}><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd><dd>{escaped(note)}</dd></div>"
    yield "</dl>"


def _panel(title: str, width: str, *parts: str) -> str:
    return f'<section class="panel {width}"><h2>{escaped(title)}</h2>{"".join(parts)}</section>'


def _speed(tally: Tally) -> Iterator[str]:
    ordered = sorted(tally.seconds)
    if not ordered:
        yield _note("No alert of this period was published.")
        return
    median, slow = percentile(ordered, 50), percentile(ordered, 95)
    yield _note(f"Median {duration(median)}, 95 % within {duration(slow)}, longest {duration(ordered[-1])}.")
    ranges = Counter(_bound(it) for it in ordered)
    bounds = list(_BOUNDS)
    filled = bounds[bounds.index(min(ranges)) : bounds.index(max(ranges)) + 1]
    marks = dict.fromkeys(filled, "")
    marks[_bound(slow)] = "95th percentile"
    marks[_bound(median)] = "median, 95th percentile" if _bound(median) == _bound(slow) else "median"
    yield bar_table("Time", "Alerts", (Bar(_BOUNDS[it], ranges[it], mark=marks[it]) for it in filled))


def _bound(seconds: float) -> float:
    return next(it for it in _BOUNDS if seconds < it)


def _delivery(tally: Tally, series: Iterable[Series]) -> Iterator[str]:
    all_of_them = sum(tally.delivery.values(), Counter[str]())
    shares = ", ".join(f"{all_of_them[it]:,} {word}" for it, word in _DELIVERY.items())
    yield _note(f"Of {tally.escalations:,}: {shares}.")
    head = "".join(f'<th scope="col" class="number">{escaped(it)}</th>' for it in _DELIVERY)
    yield f'<table class="bars split"><thead><tr><th scope="col">Disposition</th>{head}</tr></thead><tbody>'
    for it in series:
        counts = sum((tally.delivery[name] for name in it.dispositions), Counter[str]())
        yield _split(it.name, counts)
    yield "</tbody></table>"
    keys = "".join(
        f'<li><svg width="10" height="10" aria-hidden="true"><rect class="{it}" width="10" height="10"/></svg>{it}</li>'
        for it in _DELIVERY
    )
    yield f'<ul class="legend">{keys}</ul>'


def _split(name: str, counts: Counter[str]) -> str:
    """One disposition: a bar that fills the row, in parts."""
    cells = "".join(f'<td class="number">{counts[it]:,}</td>' for it in _DELIVERY)
    at, pieces = 0.0, ""
    for it in _DELIVERY:
        width = 100 * counts[it] / counts.total()
        pieces += f'<rect class="{it}" x="{at:.2f}%" width="{width:.2f}%" height="100%"/>' if width else ""
        at += width
    bar = f'<svg class="bar" width="100%" height="6" aria-hidden="true">{pieces}</svg>'
    return f'<tr><th scope="row"><span>{escaped(name)}</span>{bar}</th>{cells}</tr>'


def _top(counts: Counter[str], heading: str, many: str) -> Iterator[str]:
    if not counts:
        yield _note("None given.")
        return
    top = counts.most_common(_TOP)
    more = len(counts) - len(top)
    bars = (Bar(name, count, search=name not in (UNKNOWN, OTHERS)) for name, count in top)
    yield bar_table(heading, "Escalations", bars)
    if more:
        yield _note(f"and {more:,} more {many}")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} % of them" if whole else "of none"


def _note(text: str) -> str:
    return f'<p class="note">{escaped(text)}</p>'

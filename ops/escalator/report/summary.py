"""The counts over all records as HTML: figures first, then charts, then tables."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from functions.domain.record import State
from functions.domain.severity import Severity
from functions.domain.times import duration
from ops.escalator.report.charts import Bar, Series, bar_table, day_chart, series_of
from ops.escalator.report.counts import OTHERS, UNKNOWN, Counts
from ops.escalator.report.escape import escaped
from ops.escalator.text.labels import IN_INBOX, counted
from ops.escalator.views.statistics import percentile

_TOP = 10
_STYLES = {"true": "in-inbox", "false": "not-in-inbox", "unknown": "not-known"}
"""CSS classes, by `Delivery.delivered`."""
_RANGES = {
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
"""Ranges of the time until the alert, by their upper bound in seconds (exclusive)."""


def summary(totals: Counts) -> Iterator[str]:
    """Yield the figures and charts as HTML."""
    yield from _figures(totals)
    if not totals.escalations:
        yield '<p class="nothing">Nothing was escalated in this period, so there is nothing to draw.</p>'
        return
    series, each = series_of(totals.dispositions), "day" if totals.period.step.days == 1 else "week"
    yield _panel(f"Escalations per {each}", "wide", day_chart(totals.bars, series, each))
    yield _panel("From scan to alert", "half", *_speed(totals.from_scan))
    yield _panel("From queued to alerted", "half", *_speed(totals.seconds))
    yield _panel("In an inbox or not", "half", *_delivered(totals, series))
    yield _panel("Sender domains", "half", *_top(totals.senders, "Sender domain", "domains"))
    yield _panel("Threat categories", "half", *_top(totals.categories, "Threat category", "categories"))


def records_note(totals: Counts) -> str:
    """One sentence about the records behind the page."""
    if not totals.records:
        return "No records in this period."
    parts = [f"{count:,} {outcome}" for outcome, count in totals.outcomes.most_common()]
    if totals.unreadable:
        parts.append(f"{totals.unreadable:,} that this release cannot read")
    records = f"{counted(totals.records, 'record')}: {', '.join(parts)}."
    listed = f" Statistics and charts include all of them, the list has the first {totals.listed:,}."
    return records + (listed if totals.listed < totals.records else "")


def _figures(totals: Counts) -> Iterator[str]:
    days = max(1, round((totals.period.until - totals.period.since).total_seconds() / 86_400))
    since, times = ("from the scan", totals.from_scan) if totals.from_scan else ("from the queue", totals.seconds)
    ordered = sorted(times)
    median = duration(percentile(ordered, 50)) if ordered else "\u2013"
    figures = [
        ("Escalations", f"{totals.escalations:,}", f"in {counted(days, 'day')}"),
        ("Critical", f"{totals.severities[Severity.CRITICAL]:,}", "malicious and in an inbox"),
        ("In an inbox", f"{totals.in_inbox:,}", _share(totals.in_inbox, totals.escalations)),
        (
            "Median to alert",
            median,
            f"{since}; 95 % within {duration(percentile(ordered, 95))}" if ordered else "none published",
        ),
        ("Still pending", f"{totals.states[State.PENDING]:,}", "claimed, not confirmed as sent"),
    ]
    yield '<dl class="figures">'
    for name, value, note in figures:
        style = ' class="alarming"' if name == "Critical" and value != "0" else ""
        yield f"<div{style}><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd><dd>{escaped(note)}</dd></div>"
    yield "</dl>"


def _panel(title: str, width: str, *parts: str) -> str:
    return f'<section class="panel {width}"><h2>{escaped(title)}</h2>{"".join(parts)}</section>'


def _speed(seconds: Sequence[float]) -> Iterator[str]:
    ordered = sorted(seconds)
    if not ordered:
        yield _note("No published alert of this period has both times.")
        return
    median, slow = percentile(ordered, 50), percentile(ordered, 95)
    yield _note(
        f"{counted(len(ordered), 'alert')}: median {duration(median)}, 95 % within {duration(slow)}, longest {duration(ordered[-1])}."
    )
    ranges = Counter(_range(it) for it in ordered)
    bounds = list(_RANGES)
    filled = bounds[bounds.index(min(ranges)) : bounds.index(max(ranges)) + 1]
    marks = dict.fromkeys(filled, "")
    marks[_range(slow)] = "95th percentile"
    marks[_range(median)] = "median, 95th percentile" if _range(median) == _range(slow) else "median"
    yield bar_table("Time", "Alerts", (Bar(_RANGES[it], ranges[it], mark=marks[it]) for it in filled))


def _range(seconds: float) -> float:
    return next(it for it in _RANGES if seconds < it)


def _delivered(totals: Counts, series: Iterable[Series]) -> Iterator[str]:
    total = sum(totals.delivered.values(), Counter[str]())
    shares = ", ".join(f"{total[it]:,} {label}" for it, label in IN_INBOX.items())
    yield _note(f"Of {totals.escalations:,}: {shares}.")
    head = "".join(f'<th scope="col" class="number">{escaped(it)}</th>' for it in IN_INBOX.values())
    yield f'<table class="bars split"><thead><tr><th scope="col">Disposition</th>{head}</tr></thead><tbody>'
    for it in series:
        counts = sum((totals.delivered[name] for name in it.dispositions), Counter[str]())
        yield _split(it.name, counts)
    yield "</tbody></table>"
    keys = "".join(
        f'<li><svg width="10" height="10" aria-hidden="true"><rect class="{style}" width="10" height="10"/></svg>'
        f"{escaped(IN_INBOX[it])}</li>"
        for it, style in _STYLES.items()
    )
    yield f'<ul class="legend">{keys}</ul>'


def _split(name: str, counts: Counter[str]) -> str:
    """One disposition: its counts, and a bar divided by them."""
    cells = "".join(f'<td class="number">{counts[it]:,}</td>' for it in IN_INBOX)
    at, pieces = 0.0, ""
    for it, style in _STYLES.items():
        width = 100 * counts[it] / counts.total()
        pieces += f'<rect class="{style}" x="{at:.2f}%" width="{width:.2f}%" height="100%"/>' if width else ""
        at += width
    bar = f'<svg class="bar" width="100%" height="6" aria-hidden="true">{pieces}</svg>'
    return f'<tr><th scope="row"><span>{escaped(name)}</span>{bar}</th>{cells}</tr>'


def _top(counts: Counter[str], heading: str, plural: str) -> Iterator[str]:
    if not counts:
        yield _note("None given.")
        return
    top = counts.most_common(_TOP)
    others = len(counts) - len(top)
    bars = (Bar(name, count, search=name not in (UNKNOWN, OTHERS)) for name, count in top)
    yield bar_table(heading, "Escalations", bars)
    if others:
        yield _note(f"and {others:,} more {plural}")


def _share(part: int, total: int) -> str:
    return f"{100 * part / total:.0f} % of them" if total else "of none"


def _note(text: str) -> str:
    return f'<p class="note">{escaped(text)}</p>'

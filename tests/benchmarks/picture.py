"""An SVG picture of the figures as bars, for light and dark backgrounds. The longest bar has the full width."""

from collections.abc import Iterator

from tests.benchmarks import figures
from tests.benchmarks.figures import ALL, Results
from tests.benchmarks.subjects import FUNCTION, NAIVE, POWERTOOLS

_WIDTH, _LEFT, _BARS = 760, 220, 400
"""Width of the picture, of the names, and of the longest bar."""
_BAR, _GAP, _GROUP, _TOP = 13, 3, 22, 44
"""Height of a bar, of the gap between bars, of the gap between groups, and of the legend."""

_SUBJECTS = ((FUNCTION, "this function", "ours"), (POWERTOOLS, "Powertools idiom", "idiom"), (NAIVE, "naive", "naive"))
_GROUPS = (
    (figures.warm_wall(ALL), "ten alerts, warm", "ms"),
    (figures.cpu_per_message(ALL), "CPU for each alert", "ms"),
    (figures.COLD_WALL, "cold start with first batch", "ms"),
    (figures.MEMORY, "peak memory", "MB"),
    (figures.PACKAGE, "package, unzipped", "MB"),
)

# The background is transparent. Text and bars are legible on white and on near-black.
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.value { font-size: 11px; fill: #59636e }
.ours { fill: #1a7f37 } .idiom { fill: #8c959f } .naive { fill: #c4ccd4 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .value { fill: #9da7b3 }
  .ours { fill: #3fb950 } .idiom { fill: #6e7681 } .naive { fill: #484f58 }
}
"""


def draw(results: Results) -> str:
    """Draw an SVG document."""
    body = list(_legend())
    top = _TOP
    for name, title, unit in _GROUPS:
        maximum = max(results[subject.name].median(name) for subject, _, _ in _SUBJECTS)
        middle = top + (len(_SUBJECTS) * (_BAR + _GAP)) / 2 + 3
        body.append(f'<text x="{_LEFT - 14}" y="{middle:.0f}" text-anchor="end">{title}</text>')
        for subject, _, style in _SUBJECTS:
            value = results[subject.name].median(name)
            length = max(2.0, _BARS * value / maximum)
            body.append(f'<rect class="{style}" x="{_LEFT}" y="{top}" width="{length:.1f}" height="{_BAR}" rx="2"/>')
            shown = f"{value:.0f}" if value >= 10 else f"{value:.1f}"
            body.append(f'<text class="value" x="{_LEFT + length + 6:.1f}" y="{top + _BAR - 3}">{shown} {unit}</text>')
            top += _BAR + _GAP
        top += _GROUP
    title = "This function compared with two usual ways to write it: less is better"
    size = f'viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}">',
            f"<title>{title}</title>",
            f"<style>{_STYLE}</style>",
            *body,
            "</svg>\n",
        ]
    )


def _legend() -> Iterator[str]:
    left = _LEFT
    for _, name, style in _SUBJECTS:
        yield f'<rect class="{style}" x="{left}" y="12" width="{_BAR}" height="{_BAR}" rx="2"/>'
        yield f'<text x="{left + _BAR + 6}" y="23">{name}</text>'
        left += 150

"""Make untrusted text safe for a terminal."""

from functions.alert.sanitize import plain


def one_line(value: object) -> str:
    """A value as one line of visible characters; empty for None."""
    text = "" if value is None else str(value)
    return plain(text, max(len(text), 1))


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with every invisible character escaped, as in \x1b or \u202e.

    lines: whether to keep line ends.
    """
    return "".join(
        it if it.isprintable() or (lines and it == "\n") else it.encode("unicode_escape").decode("ascii") for it in text
    )

"""Parts of the pages for people: no script, no request, readable in print.

Every text goes through `text`. The one exception is the style, whose hash the content security policy names:
nothing else on a page can take effect, whatever a record or a policy holds.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final

from processor.review.shape import printable
from processor.review.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BAR_WIDTH: Final = 120
LOUD: Final = ((80, "high"), (40, "middle"), (0, "low"))
"""From which exposure on a bar has which colour."""

PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{hashed}'">
<title>{title}: {about}</title>
<style>{style}</style>
</head>
<body>
<header>
<p class="kind">{kind}</p>
<h1>{title}</h1>
<p>{words}</p>
</header>
<main>
{sections}
</main>
<footer><p>{footer}</p></footer>
</body>
</html>
"""


def page(*, kind: str, title: str, about: str, words: str, sections: Iterable[str], footer: str) -> str:
    """A whole page. `words`, `sections` and `footer` are HTML already; empty sections are left out."""
    return PAGE.format(
        hashed=b64encode(sha256(STYLE.encode()).digest()).decode(),
        style=STYLE,
        kind=text(kind),
        title=text(title),
        about=text(about),
        words=words,
        sections="\n".join(filter(None, sections)),
        footer=footer,
    )


def tile(figure: str, words: str, *, loud: bool = False) -> str:
    """A figure to see first, with what it counts."""
    kind = ' class="loud"' if loud else ""
    return f"<li{kind}><strong>{text(figure)}</strong> <span>{text(words)}</span></li>"


def exposure_bar(exposure: int, data_class: str) -> str:
    """An exposure from 0 to 100 as a bar; grey for what says nothing about a person."""
    loud = next(kind for least, kind in LOUD if exposure >= least)
    kind, width = "plain" if data_class == "public" else loud, BAR_WIDTH * exposure // 100
    return (
        f'<span class="exposure"><svg width="{BAR_WIDTH}" height="10" aria-hidden="true">'
        f'<rect class="rail" width="{BAR_WIDTH}" height="10" rx="3"/>'
        f'<rect class="{kind}" width="{width}" height="10" rx="3"/></svg> {exposure}</span>'
    )


def table(head: str, rows: Iterable[str], caption: str = "") -> str:
    """Rows under a head, all HTML already."""
    said = f'<caption class="unseen">{text(caption)}</caption>' if caption else ""
    # The frame scrolls on a narrow screen; a keyboard has to reach it to do so.
    return (
        f'<div class="frame" tabindex="0"><table>{said}<thead>{head}</thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def row(cells: Sequence[str], *, head: bool = False, kind: str = "") -> str:
    """A row of cells that are HTML already; the first names it."""
    if head:
        names = "".join(f'<th scope="col">{cell}</th>' for cell in cells)
        return f"<tr>{names}</tr>"
    marked = f' class="{kind}"' if kind else ""
    rest = "".join(f"<td>{cell}</td>" for cell in cells[1:])
    return f'<tr{marked}><th scope="row">{cells[0]}</th>{rest}</tr>'


def text(words: str) -> str:
    """Words that mean nothing but themselves."""
    return escape(printable(words), quote=True)

"""A picture that leaves the page: an SVG that carries its own colours, and the PNG made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from tocsin.core.errors import Refused
from tocsin.web.pictures.drawing import said

THEMES = ("light", "dark")
_STYLES = Path(__file__).parent.parent / "static" / "tocsin"
_BLOCK = re.compile(r"([^{}]+)\{([^{}]*)\}")
_TOKEN = re.compile(r"(--[\w-]+):\s*([^;]+);")
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_HEAD = 34.0
_FONT = "system-ui, 'DejaVu Sans', Arial, sans-serif"

NO_PAINTER = (
    "This installation cannot make PNG files: the optional part for it is missing. "
    "Install it with: pip install 'tocsin[charts]'. The same picture as .svg needs nothing."
)


def standalone(drawn: str, title: str, *, theme: str = "light") -> str:
    """`drawn` as a file of its own: ground, finding on top, every colour written out. Raises Refused for no theme."""
    if theme not in THEMES:
        raise Refused(f"There is no theme {theme!r}: choose light or dark.")
    size = _SIZE.search(drawn)
    if size is None:
        raise Refused("There is nothing to draw.")
    width, height = float(size[1]), float(size[2])
    colours = _tokens(theme)
    inner = drawn.split(">", 1)[1].rsplit("</svg>", 1)[0]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pic" width="{width:g}" height="{height + _HEAD:g}" '
        f'viewBox="0 0 {width:g} {height + _HEAD:g}" role="img" aria-label="{said(title)}"><title>{said(title)}</title>'
        f"<style>{_rules(theme, tuple(sorted(_classes(inner))))}</style>"
        f'<rect width="100%" height="100%" fill="{colours["--bg"]}"/>'
        f"{_finding(title, width)}"
        f'<g transform="translate(0 {_HEAD:g})">{inner}</g></svg>'
    )


def _finding(title: str, width: float) -> str:
    """The sentence on top, cut where a narrow picture has no room; the whole of it is in <title>."""
    most = int((width - 24) / 7.6)
    words = title if len(title) <= most else f"{title[: most - 1].rstrip()}…"
    return f'<text x="12" y="22" class="strong headline">{said(words)}</text>'


def png(drawn: str, *, zoom: int = 2) -> bytes:
    """The pixels of a standalone SVG, twice as dense as CSS pixels. Raises Refused where nothing can paint them."""
    try:
        import resvg_py
    except ImportError as missing:
        raise Refused(NO_PAINTER) from missing
    return bytes(resvg_py.svg_to_bytes(svg_string=drawn, zoom=zoom, sans_serif_family="DejaVu Sans"))


def _classes(drawn: str) -> set[str]:
    return {name for names in re.findall(r'class="([^"]*)"', drawn) for name in names.split()}


@lru_cache(maxsize=2)
def _tokens(theme: str) -> Mapping[str, str]:
    """The colours of a theme, from the very file the pages use."""
    wanted = ":root" if theme == "light" else ':root[data-theme="dark"]'
    text = re.sub(r"/\*.*?\*/", "", (_STYLES / "tokens.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    found = {head.strip(): body for head, body in _BLOCK.findall(text)}
    return dict(_TOKEN.findall(found[wanted]))


@lru_cache(maxsize=64)
def _rules(theme: str, classes: tuple[str, ...]) -> str:
    """The page's rules for those classes, with the colours of the theme in place of their names."""
    text = re.sub(r"/\*.*?\*/", "", (_STYLES / "pictures.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    kept = [f"text{{font-family:{_FONT};font-size:12px}}", ".headline{font-size:15px}"]
    for head, body in _BLOCK.findall(text):
        used = [one.strip().removeprefix(".pic ") for one in head.split(",") if _is_used(one.strip(), classes)]
        if used:
            kept.append(f"{','.join(used)}{{{_plain(body, theme)}}}")
    return "".join(kept)


def _is_used(selector: str, classes: tuple[str, ...]) -> bool:
    """Whether a selector is a picture's own and every class in it is drawn."""
    own = selector.removeprefix(".pic ")
    always = own in {"text", ".strong"}
    return selector.startswith(".pic ") and (always or set(re.findall(r"\.([\w-]+)", own)) <= set(classes))


def _plain(body: str, theme: str) -> str:
    """Colours by value, and no `font` in one word, which painters of SVG do not all read."""
    body = re.sub(r"var\((--[\w-]+)\)", lambda found: _tokens(theme)[found[1]], body)
    body = re.sub(r"font:\s*(?:(\d+)\s+)?(\d+)px[^;]*;", r"font-weight:\1;font-size:\2px;", body)
    return re.sub(r"font-weight:;", "", " ".join(body.split()))

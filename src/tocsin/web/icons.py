"""Line icons, drawn for this product on a 24 by 24 grid; always beside a word or with an accessible name."""

from __future__ import annotations

from collections.abc import Mapping

ICONS: Mapping[str, str] = {
    "now": "M12 3v3M5.6 5.6l2 2M3 12h3M18.4 5.6l-2 2M21 12h-3M7 20a5 5 0 1 1 10 0M4 20h16",
    "incidents": "M12 4 3 19.5h18L12 4ZM12 10v4M12 16.8v.2",
    "slos": "M4 20V4M4 20h16M7 8c3 0 3 4 6 4s3 4 6 4",
    "oncall": "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20a7.5 7.5 0 0 1 15 0",
    "updates": "M4 5h16v11H9l-5 4V5ZM8 9h8M8 12.5h5",
    "learn": "M12 6.5C10 5 7 4.6 4 5v13.5c3-.4 6 0 8 1.5 2-1.5 5-1.9 8-1.500V5c-3-.4-6 0-8 1.500ZM12 6.500V20",
    "process": "M6 4h9l4 4v12H6V4ZM14.5 4v4.500H19M9 13h6M9 16.500h6",
    "setup": "M4 7h9M17 7h3M4 17h3M11 17h9M15 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM9 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
    "more": "M5 12h.01M12 12h.01M19 12h.01",
    "plus": "M12 5v14M5 12h14",
    "check": "M5 12.500l4.5 4.500L19 7.5",
    "hand": "M8 12V6a1.5 1.5 0 0 1 3 0v5M11 11V4.500a1.5 1.5 0 0 1 3 0V11M14 11V6a1.5 1.5 0 0 1 3 0v8c0 4-2 6.5-5.5 6.5-3 0-4.5-1.5-6-4.500l-1.5-3a1.5 1.5 0 0 1 2.5-1.500L8 13",
    "pass": "M4 12h14M13 6.5 18.5 12 13 17.5",
    "help": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9.5 9.500a2.5 2.5 0 1 1 3.5 2.300c-.7.3-1 .8-1 1.700M12 16.800v.2",
    "bell": "M6 17V11a6 6 0 1 1 12 0v6l1.5 1.500h-15L6 17ZM10 21h4",
    "note": "M5 19l1-4L16 5l3 3L9 18l-4 1ZM14 7l3 3",
    "alert": "M13 3 5 14h6l-1 7 8-11h-6l1-7Z",
    "clock": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5.500l3.5 2",
    "send": "M4 12 20 4l-5 16-3.5-6.500L4 12ZM11.5 13.5 20 4",
    "book": "M6 4h12v16H8a2 2 0 0 1-2-2V4ZM6 18a2 2 0 0 1 2-2h10",
    "link": "M10 14a4 4 0 0 0 6 .5l2.5-2.500a4 4 0 0 0-5.7-5.700L11.5 7.500M14 10a4 4 0 0 0-6-.5L5.5 12a4 4 0 0 0 5.7 5.700L12.5 16.5",
    "undo": "M8 5 4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-3",
    "level": "M6 20V10M12 20V4M18 20v-7",
    "person": "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20a7.5 7.5 0 0 1 15 0",
    "moon": "M19.5 14.500A8 8 0 1 1 9.5 4.500a6.5 6.5 0 0 0 10 10Z",
    "calm": "M3 15c3-4 6-4 9 0s6 4 9 0M3 9c3-4 6-4 9 0s6 4 9 0",
    "cross": "M6 6l12 12M18 6 6 18",
    "role": "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.500a3.5 3.5 0 0 1 0 6.500M18 14.500a6.5 6.5 0 0 1 3.5 5.5",
    "sources": "M5 8a3 3 0 1 0 0-.01M5 16a3 3 0 1 0 0 .01M19 12a3 3 0 1 0 0 .01M7.7 9.200l8.6 2M7.7 15.500l8.6-2.7",
    "page": "M5 4h14v16H5V4ZM9 9h6M9 13h6",
}


def path_of(name: str) -> str:
    """The path of that icon; an unknown name draws a dot, so that a page never breaks for a picture."""
    return ICONS.get(name, "M12 12h.01")

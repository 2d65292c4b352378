"""Builds ``widget.zip``, the form of the widget that Kommo takes, from ``manifest.json`` and ``widget/``.

``build(find_sources(), "https://pay.example.com", Path("widget.zip"))`` writes it, with the backend's address in it.
The same sources and address give the same bytes; changed content gets a higher version than the file at ``out``,
because Kommo's browsers cache files by their version (docs/facts/kommo-widget.md 1.3).
"""

from backend.widget_archive.building import BuiltWidget, build
from backend.widget_archive.contract import API, API_HEADER
from backend.widget_archive.errors import WidgetProblem
from backend.widget_archive.sources import find_sources

__all__ = ["API", "API_HEADER", "BuiltWidget", "WidgetProblem", "build", "find_sources"]

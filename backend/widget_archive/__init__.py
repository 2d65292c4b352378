"""widget.zip: Kommo's form of the widget, made from ``manifest.json`` and ``widget/`` with the backend's address in it.

``build(find_sources(), "https://pay.example.com", Path("widget.zip"))`` writes it. The same sources and address give
the same bytes; a changed content gets a higher version than the file that stood at ``out``, because Kommo's browsers
keep files by their version (docs/facts/kommo-widget.md 1.3).
"""

from backend.widget_archive.building import BuiltWidget, build
from backend.widget_archive.contract import API, API_HEADER
from backend.widget_archive.errors import WidgetProblem
from backend.widget_archive.sources import find_sources

__all__ = ["API", "API_HEADER", "BuiltWidget", "WidgetProblem", "build", "find_sources"]

"""What facts/kommo-api.md leaves open, as tables; the reading named first is the one we believe."""

from backend.sandbox.kommo.doubts.deals import FIELDS, LEADS, NOTES
from backend.sandbox.kommo.doubts.entry import OAUTH, WIDGET
from backend.sandbox.kommo.doubts.hooks import HOOKS
from backend.sandbox.kommo.doubts.traffic import API

ALL = (OAUTH, WIDGET, API, LEADS, FIELDS, NOTES, HOOKS)

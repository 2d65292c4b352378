"""What docs/facts/kommo-api.md leaves open, as tables; the reading named first is the one we believe."""

from sandbox.kommo.doubts.chats import CHATS
from sandbox.kommo.doubts.deals import FIELDS, LEADS, NOTES
from sandbox.kommo.doubts.entry import OAUTH, WIDGET
from sandbox.kommo.doubts.hooks import HOOKS
from sandbox.kommo.doubts.traffic import API

ALL = (OAUTH, WIDGET, API, LEADS, FIELDS, NOTES, HOOKS, CHATS)

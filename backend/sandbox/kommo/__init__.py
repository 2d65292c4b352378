"""Kommo on this machine: API v4, OAuth and hooks, by facts/kommo-api.md."""

from backend.sandbox.kommo.app import create_app
from backend.sandbox.kommo.world import KommoWorld

__all__ = ["KommoWorld", "create_app"]

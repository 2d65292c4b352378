"""Kommo on this machine: API v4, OAuth and hooks, by docs/facts/kommo-api.md."""

from sandbox.kommo.app import create_app
from sandbox.kommo.world import KommoWorld

__all__ = ["KommoWorld", "create_app"]

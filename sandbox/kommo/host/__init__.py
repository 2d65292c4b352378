"""Kommo's pages, as far as a widget and a person need them: deal list, deal card with the right panel, settings.

The card loads the built ``widget.zip`` as Kommo does (docs/facts/kommo-widget.md 2.3, 3, 5, 11): unpacked in memory,
served from a second origin, run by a loader and a runner of our own that are strict rather than complete.
"""

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from sandbox.kommo.host.ajax import ajax_routes
from sandbox.kommo.host.designer import designer_routes
from sandbox.kommo.host.files import file_routes
from sandbox.kommo.host.installed import install_widget
from sandbox.kommo.host.pages import HERE, page_routes
from sandbox.kommo.host.pipeline import pipeline_routes
from sandbox.kommo.world import KommoWorld

__all__ = ["install_widget", "mount_host"]


def mount_host(app: FastAPI, world: KommoWorld) -> None:
    """Add the pages to Kommo's app; ``install_widget(world, client_id, zip_bytes)`` puts a widget on them."""
    app.router.routes.extend(
        [
            *page_routes(world),
            *ajax_routes(world),
            *pipeline_routes(world),
            *designer_routes(world),
            *file_routes(world),
        ]
    )
    app.mount("/frontend", StaticFiles(directory=HERE / "static"), name="frontend")

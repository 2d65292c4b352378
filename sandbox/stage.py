"""Everything together on this machine: the local Kommo, the local Stripe, and the product between them."""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from backend.core.clock import Clock, system_clock
from backend.widget_archive import build, find_sources
from sandbox import kommo as kommo_app
from sandbox import stripe as stripe_app
from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.chat_acts import client_writes
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.hooks.hooks import install
from sandbox.kommo.host import install_widget
from sandbox.pipeline_action import add_action
from sandbox.product import log_file, running_product
from sandbox.serving import free_port, serving
from sandbox.stripe import StripeWorld

PORTS = (8000, 8001, 8002)
"""Backend, Kommo, Stripe; others are taken where these are not free."""


@dataclass
class Stage:
    """Two worlds that are served, and the settings with which the product meets them."""

    kommo: KommoWorld
    stripe: StripeWorld
    backend_url: str
    integration: Integration
    settings: dict[str, str]
    folder: Path

    @property
    def admin(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.settings['ADMIN_TOKEN']}"}


@asynccontextmanager
async def set_stage(
    *, clock: Clock = system_clock, ports: tuple[int, int, int] = (0, 0, 0), more: Mapping[str, str] | None = None
) -> AsyncIterator[Stage]:
    """Both worlds served, an integration made in Kommo with its widget uploaded; the product is not started."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kommo-stripe-")))
        backend_url = f"http://127.0.0.1:{ports[0] or free_port()}"
        kommo, stripe = KommoWorld(clock), StripeWorld(clock)
        kommo.base_url = await stack.enter_async_context(serving(kommo_app.create_app(kommo), ports[1]))
        stripe.base_url = await stack.enter_async_context(serving(stripe_app.create_app(stripe), ports[2]))
        integration = kommo.add_integration(
            kommo.account,
            f"{backend_url}/oauth/kommo/callback",
            disable_uri=f"{backend_url}/kommo/uninstall",
        )
        upload_widget(kommo, integration, backend_url, folder)
        settings = product_settings(kommo, stripe, integration, backend_url) | dict(more or {})
        yield Stage(kommo, stripe, backend_url, integration, settings, folder)


def product_settings(
    kommo: KommoWorld, stripe: StripeWorld, integration: Integration, backend_url: str
) -> dict[str, str]:
    """What an operator would write into .env; the stage rule is the sandbox pipeline's last open stage."""
    key = next(text for text in stripe.default_account.keys if "_live_" in text)
    pipeline = kommo.account.main_pipeline
    paid = next(status.id for status in pipeline.statuses if status.name == "Paid")
    return {
        "PUBLIC_URL": backend_url,
        "PORT": backend_url.rpartition(":")[2],
        "SECRET_KEYS": secrets.token_urlsafe(32),
        "ADMIN_TOKEN": secrets.token_urlsafe(24),
        "KOMMO_CLIENT_ID": integration.client_id,
        "KOMMO_CLIENT_SECRET": integration.client_secret,
        "KOMMO_BASE_URL": kommo.base_url,
        "KOMMO_OAUTH_URL": f"{kommo.base_url}/oauth",
        "STRIPE_API_BASE": stripe.base_url,
        "STRIPE_API_KEY": key,
        "PAID_STAGES": f"{pipeline.id}:{paid}",
    }


def upload_widget(kommo: KommoWorld, integration: Integration, backend_url: str, folder: Path) -> None:
    """The built archive, as an admin uploads it in the integration's window."""
    archive = folder / "widget.zip"
    build(find_sources(), backend_url, archive)
    install_widget(kommo, integration.client_id, archive.read_bytes())


async def connect(stage: Stage) -> str:
    """An admin installs: by Kommo's own call where it makes one, else by the consent page. How it went, in words."""
    if await install(stage.kommo, stage.integration.client_id) is not None:
        return "Kommo called our redirect URL with a code"
    async with httpx.AsyncClient(timeout=30.0) as http:
        begun = await http.get(f"{stage.backend_url}/oauth/kommo/start", headers=stage.admin)
        agreed = await http.get(f"{begun.headers['location']}&auto=allow")
        done = await http.get(agreed.headers["location"])
    if done.status_code != 200:
        raise NotInstalled(f"the callback answered {done.status_code}: {done.text}")
    return "the admin pressed Allow on Kommo's consent page"


class NotInstalled(Exception):
    """The product did not take Kommo's code."""


async def play() -> None:
    """The sandbox for a person: addresses printed, everything running until Ctrl-C, or SIGTERM from a program."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    log = log_file()
    async with set_stage(ports=_free_ports()) as stage, running_product(stage.settings, stage.folder, log=log):
        await connect(stage)
        _open_a_chat(stage.kommo)
        asking = await add_action(stage.kommo, stage.integration, stage.backend_url)
        print(_welcome(stage, asking), flush=True)
        if _at_a_screen():
            webbrowser.open(_first_page(stage))
        await told.wait()


def _open_a_chat(kommo: KommoWorld) -> None:
    """The first deal's client has just written, and the integration may answer: *Send* has somebody to send to."""
    kommo.switches.set("chat_scopes", "present")
    client_writes(kommo.account, next(iter(kommo.account.leads)), "Hello! Can I pay by card?")


def _free_ports() -> tuple[int, int, int]:
    import socket

    def free(port: int) -> int:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return 0
        return port

    return free(PORTS[0]), free(PORTS[1]), free(PORTS[2])


def _first_page(stage: Stage) -> str:
    return f"{stage.kommo.base_url}/leads/detail/{next(iter(stage.kommo.account.leads))}"


def _at_a_screen() -> bool:
    """Somebody started it by hand where a browser can open a window."""
    windows = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.stdout.isatty() and bool(windows)


def _welcome(stage: Stage, asking: str) -> str:
    """``asking`` is the stage that asks for the payment by itself."""
    return f"""
  Everything runs on this machine; no account is needed and no money moves.

  Open         {_first_page(stage)}
               Press "Create Stripe payment", open the link, pay, and watch the deal.
               Or press "Send" at the link: it goes into the deal's chat, which its feed shows.

  All deals    {stage.kommo.base_url}/leads
  Pipeline     {stage.kommo.base_url}/settings/pipeline
               Move a deal to "{asking}": it is asked for its payment.
  Widget       {stage.kommo.base_url}/settings/widgets
  Set-up       {stage.backend_url}/admin
               Admin token {stage.settings["ADMIN_TOKEN"]}
  Log          {log_file()}

  Ctrl-C ends it and forgets everything.
"""

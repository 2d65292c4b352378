"""The local Kommo, the local Stripe and the product between them, built from options: see ``open_world``."""

from tests.world.install import install
from tests.world.opening import open_world
from tests.world.processes import KommoHosts, open_process
from tests.world.settings import ADMIN, ADMIN_TOKEN, PUBLIC_URL, environment, settings
from tests.world.stored import CONNECTION
from tests.world.tenant import TOKEN, Tenant, new_tenant
from tests.world.world import World

__all__ = [
    "ADMIN",
    "ADMIN_TOKEN",
    "CONNECTION",
    "PUBLIC_URL",
    "TOKEN",
    "KommoHosts",
    "Tenant",
    "World",
    "environment",
    "install",
    "new_tenant",
    "open_process",
    "open_world",
    "settings",
]

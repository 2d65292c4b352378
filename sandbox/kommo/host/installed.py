"""The widgets that were uploaded to a world, by integration: what *Settings → Integrations* holds."""

import io
import json
import zipfile
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.host.upload import check_upload
from sandbox.kommo.records import Json
from sandbox.kommo.world import KommoWorld


@dataclass
class InstalledWidget:
    """``settings`` is what an admin saved in the widget's window."""

    client_id: str
    code: str
    files: dict[str, bytes]
    settings: dict[str, str] = field(default_factory=dict)
    active: bool = True

    @property
    def manifest(self) -> Json:
        found: Json = json.loads(self.files["manifest.json"])
        return found

    @property
    def version(self) -> str:
        return str(self.manifest["widget"]["version"])

    def words(self, language: str) -> Json:
        name = f"i18n/{language}.json"
        found: Json = json.loads(self.files.get(name) or self.files["i18n/en.json"])
        return found


InstalledWidgets = dict[str, InstalledWidget]

_SHELVES: WeakKeyDictionary[KommoWorld, InstalledWidgets] = WeakKeyDictionary()


def shelf_of(world: KommoWorld) -> InstalledWidgets:
    """By client id."""
    return _SHELVES.setdefault(world, {})


def widgets_of(world: KommoWorld, account: Account) -> list[InstalledWidget]:
    return [one for one in shelf_of(world).values() if world.account_of(one.client_id) is account]


def install_widget(world: KommoWorld, client_id: str, archive: bytes) -> InstalledWidget:
    """What *Upload* does: refuse a bad archive (``UploadRefused``), else put it on the integration's pages.

    A second upload replaces the files and keeps what was saved in the window.
    """
    integration: Integration = world.integrations[client_id]
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    check_upload(files, world)
    shelf = shelf_of(world)
    before = shelf.get(client_id)
    settings = before.settings if before else {}
    shelf[client_id] = InstalledWidget(client_id, integration.widget_code, files, settings)
    return shelf[client_id]

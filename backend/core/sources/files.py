"""Settings in files of their own: ``SECRET_KEYS_FILE=/run/secrets/keys`` for ``SECRET_KEYS``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

SUFFIX = "_file"
LARGEST = 64 * 1024


class BadSettings(Exception):
    """A setting is missing or wrong; the text names it and says what to write."""


class SettingFiles(PydanticBaseSettingsSource):
    """The values of the files that the environment or ``.env`` name by ``…_FILE``. Raises ``BadSettings``."""

    def __init__(self, settings: type[BaseSettings], *named: PydanticBaseSettingsSource) -> None:
        super().__init__(settings)
        self._named = [one.env_vars for one in named if isinstance(one, EnvSettingsSource)]

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return (value or None, field name, False) of one setting, as Pydantic asks for it."""
        path = _first(self._named, field_name + SUFFIX)
        if not path:
            return None, field_name, False
        if _first(self._named, field_name):
            name = field_name.upper()
            raise BadSettings(f"{name} and {name}_FILE are both set. Keep one of them.")
        return _content(field_name.upper() + "_FILE", Path(path)), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the settings that come from files, by field name."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def _first(named: list[Mapping[str, str | None]], name: str) -> str:
    return next((value for one in named if (value := one.get(name))), "")


def _content(name: str, path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            content = file.read(LARGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadSettings(f"{name} names {path}, which can't be read: {reason}.") from None
    if not content.strip() or len(content) > LARGEST:
        raise BadSettings(f"{name} names {path}, which {'is too large' if content.strip() else 'is empty'}.")
    return content

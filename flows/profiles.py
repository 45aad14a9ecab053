"""Profile + command line -> Settings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import ConfigError
from schemas.settings import Settings

PROFILES = Path(__file__).resolve().parents[1] / "deploy" / "profiles"


def load_settings(profile: str | None, overrides: Mapping[str, Any]) -> Settings:
    """Return the defaults, changed by a profile, changed by what the command line said.

    Args:
        profile: a name in deploy/profiles/, or a TOML file.
        overrides: dotted setting names and values; None means that nothing was said.

    Raises:
        ConfigError: there is no such profile, or it holds a key or value that no setting allows.
    """
    values = _read_profile(profile) if profile else {}
    for name, value in overrides.items():
        if value is not None:
            _put(values, name.split("."), value)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_first_problem(error, profile)) from error


def _read_profile(profile: str) -> dict[str, Any]:
    path = Path(profile) if profile.endswith(".toml") else PROFILES / f"{profile}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(sorted(path.stem for path in PROFILES.glob("*.toml")))
        raise ConfigError(f"profile {profile}: no such profile; there are {known}, or give a .toml file") from error
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"profile {profile}: it cannot be read: {error}") from error


def _put(values: dict[str, Any], path: list[str], value: object) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value


def _first_problem(error: ValidationError, profile: str | None) -> str:
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    where = f"profile {profile}: " if profile else ""
    if problem["type"] == "extra_forbidden":
        return f"{where}no setting is called {place!r}; schemas/settings.py and corpus_settings.py list them"
    return f"{where}{place} = {problem['input']!r}: {problem['msg']}"

"""What shapes a value -> its key: code, prompts, settings, seams, versions, inputs."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any, NamedTuple

from schemas.value import Value

FIRST_PARTY = ("schemas", "tasks")
# settings enter a key by value, group by group
UNHASHED = {"schemas.settings", "schemas.corpus_settings", "schemas.recipe_settings"}
ROOT = Path(__file__).resolve().parents[1]
PROMPTS = ROOT / "tasks" / "prompts"

_parsing = threading.Lock()
_parsed: dict[str, _Parsed] = {}


def hash_json(value: object) -> str:
    """Return the sha256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def stage_key(
    stage: Callable[..., Any], settings: Value | None, inputs: tuple[str, ...], seams: Mapping[str, str]
) -> str:
    """Return the key of the value that a stage makes.

    Args:
        stage: the function; its module is its name, and its code is part of the key.
        settings: its own group.
        inputs: sha256 of each input value (for fetch, of the bytes).
        seams: identity of each seam that shapes the value, by argument name.
    """
    return hash_json(
        {
            "stage": stage_name(stage),
            "code": code_digest(stage.__module__),
            "settings": settings.digest() if settings is not None else None,
            "inputs": inputs,
            "seams": dict(seams),
        }
    )


def stage_name(stage: Callable[..., Any]) -> str:
    """Return the name of a stage: its module's."""
    return stage.__module__.rsplit(".", 1)[-1]


@cache
def code_digest(module: str) -> str:
    """Return a hash of a module, the first-party modules it imports, its prompts, and the packages they import.

    Comments and layout do not count; an edited line, prompt or installed version does.
    """
    sources, packages = _closure(module)
    uses_prompts = any("PROMPTS" in source for source in sources.values())  # a module that reads them names the folder
    return hash_json(
        {
            "sources": {name: hashlib.sha256(source.encode()).hexdigest() for name, source in sources.items()},
            "prompts": prompt_digests() if uses_prompts else {},
            "versions": {name: package_version(name) for name in sorted(packages)},
            "python": platform.python_version(),
        }
    )


@cache
def prompt_digests() -> dict[str, str]:
    """Return the sha256 of every prompt file, by name."""
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(PROMPTS.glob("*.md"))}


@cache
def package_version(package: str) -> str:
    """Return the installed version of the distribution that a top-level import comes from."""
    distributions = _distributions().get(package, [package])
    try:
        return version(distributions[0])
    except PackageNotFoundError:
        return "unknown"


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


class _Parsed(NamedTuple):
    """A module without comments and layout, and what it imports."""

    source: str
    modules: frozenset[str]
    packages: frozenset[str]


def _closure(module: str) -> tuple[dict[str, str], set[str]]:
    """Follow imports from a module: canonical source of each first-party one, names of the other packages."""
    sources: dict[str, str] = {}
    packages: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in sources or name in UNHASHED:
            continue
        parsed = _parse(name)
        sources[name] = parsed.source
        waiting.extend(parsed.modules)
        packages |= parsed.packages
    return dict(sorted(sources.items())), packages


def _parse(module: str) -> _Parsed:
    """Parse a module once a process, in one thread at a time: CPython 3.11's parser is not safe in several."""
    with _parsing:
        if module not in _parsed:
            tree = ast.parse(_source(module))
            imported = _imports(tree)
            packages = {name.split(".", 1)[0] for name in imported} - set(FIRST_PARTY) - sys.stdlib_module_names
            modules = frozenset(name for name in imported if name.split(".", 1)[0] in FIRST_PARTY)
            _parsed[module] = _Parsed(ast.unparse(tree), modules, frozenset(packages))
        return _parsed[module]


def _source(module: str) -> str:
    path = _path(module)
    return path.read_text(encoding="utf-8") if path else ""


def _path(module: str) -> Path | None:
    """Return a first-party module's file; a package's is its __init__.py."""
    stem = ROOT.joinpath(*module.split("."))
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)


def _imports(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            submodules = (f"{node.module}.{alias.name}" for alias in node.names)
            names.update(name for name in submodules if name.split(".", 1)[0] in FIRST_PARTY and _path(name))
    return names

"""`scriptorium diff`, `gc` and `verify`: two snapshots compared, what nothing needs removed, a snapshot checked."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from flows.reporting import EXIT_FAILED, Json, Verbose, reporting
from flows.summaries import print_rows
from schemas.errors import ConfigError
from schemas.runs import Manifest
from tasks.audit import Audit, audit_snapshot
from tasks.backends.stores import open_store
from tasks.backends.tokenizers import open_tokenizer
from tasks.compare import Difference, compare_snapshots
from tasks.shard import HEAD, PARENT, find_snapshot
from tasks.sweep import DAY_S, Sweep, sweep_data

MAX_LISTED = 10  # of ids on a line: a person reads the first ones, --json holds them all

Folder = Annotated[str, typer.Argument(help="Folder or s3:// URL of the data set.")]
Snapshot = Annotated[str, typer.Argument(help="Number of a snapshot, 'head', or 'parent'.")]


def diff(out: Folder, before: Snapshot, after: Snapshot = HEAD, json: Json = False, verbose: Verbose = False) -> None:
    """Tell what a snapshot holds that an earlier one does not: books, rows, tokens, shards, settings, models, prompts.

    'parent' is the snapshot that the other one was built on.
    """
    with reporting(json=json, verbose=verbose) as console:
        found = diff_data(out, before, after)
        if json:
            typer.echo(found.to_json())
        else:
            show_difference(found, console)


def gc(
    out: Folder,
    keep: Annotated[int | None, typer.Option(min=1, help="Newest snapshots that stay; default: all.")] = None,
    older_than: Annotated[float, typer.Option(min=0.0, help="Days; nothing younger is removed.")] = 1.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Remove shards that no snapshot names, and leftovers of writers that were killed.

    After a takedown, --keep 1 also drops the older snapshots, which still hold the books. Run it with --older-than 0
    only while nothing is being built: a writer's newest shards have no manifest yet.
    """
    with reporting(json=json, verbose=verbose) as console:
        found = sweep_data(open_store(out), out, keep, older_than * DAY_S, dry_run=dry_run)
        if json:
            typer.echo(found.to_json())
        else:
            show_sweep(found, console)


def verify(
    out: Folder,
    snapshot: Annotated[str, typer.Option(help="Number of a snapshot, 'head', or 'parent'.")] = HEAD,
    trainee_tokenizer: Annotated[
        str | None, typer.Option(help="The tokenizer that counted it, where it lies elsewhere now.")
    ] = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Recompute every hash, count, offset and grammar check of a snapshot; exit code 1 when one is wrong."""
    with reporting(json=json, verbose=verbose) as console:
        audit = verify_data(out, snapshot, trainee_tokenizer)
        if json:
            typer.echo(audit.to_json())
        else:
            show_audit(audit, console)
        if not audit.ok:
            raise typer.Exit(EXIT_FAILED)


def diff_data(out: str, before: str, after: str) -> Difference:
    """Return what differs between two snapshots; ConfigError where one of them is not there."""
    store = open_store(out)
    if after == PARENT:
        earlier = find_snapshot(store, before, out)
        return compare_snapshots(earlier, find_snapshot(store, after, out, beside=earlier), store)
    later = find_snapshot(store, after, out)
    return compare_snapshots(find_snapshot(store, before, out, beside=later), later, store)


def verify_data(out: str, snapshot: str, trainee: str | None) -> Audit:
    """Check a snapshot at `out`; ConfigError where it is not there, or its tokenizer cannot be opened."""
    store = open_store(out)
    manifest = find_snapshot(store, snapshot, out)
    tokenizer = open_tokenizer(trainee or _tokenizer_of(manifest))
    if tokenizer.identity != manifest.models["trainee"]:
        raise ConfigError(
            f"{out}: its tokens were counted with {manifest.models['trainee']}, not with {tokenizer.identity}; "
            "give that file as --trainee-tokenizer"
        )
    return audit_snapshot(manifest, store, tokenizer)


def _tokenizer_of(manifest: Manifest) -> str:
    """Return the tokenizer's file; settings of earlier versions are not those of today, so only this is read."""
    tokens = manifest.settings.get("tokens")
    return str(tokens["trainee"]) if isinstance(tokens, dict) else ""


def show_audit(audit: Audit, console: Console) -> None:
    """Print an audit for a person."""
    checked = ", ".join(f"{number} {what}" for what, number in audit.checked.items())
    console.print(f"snapshot {audit.snapshot}: checked {checked}", highlight=False, soft_wrap=True)
    for problem in audit.problems:
        console.print(f"- {problem}", highlight=False, markup=False, soft_wrap=True)
    console.print("all as it should be" if audit.ok else f"{audit.num_problems} problems", highlight=False)


def show_sweep(found: Sweep, console: Console) -> None:
    """Print for a person what was removed."""
    verb = "would go" if found.dry_run else "removed"
    rows = [
        ("kept", f"snapshots {', '.join(map(str, found.kept))}"),
        (verb, f"{len(found.snapshots)} snapshots, {len(found.shards)} shards, {len(found.leftovers)} leftovers"),
    ]
    if found.waiting:
        rows.append(("too young", f"{found.waiting}; a running build may need them (--older-than)"))
    print_rows(rows, console)


def show_difference(found: Difference, console: Console) -> None:
    """Print for a person how two snapshots differ."""
    shards = found.shards
    rows = [("snapshots", f"{found.before} -> {found.after}")]
    rows += [("came", _list(found.came))] if found.came else []
    rows += [("returned", _list(found.returned))] if found.returned else []
    rows += [(f"changed {name}", ", ".join(parts)) for name, parts in list(found.changed.items())[:MAX_LISTED]]
    rows += [(f"left {name}", reason or "not there any more") for name, reason in list(found.left.items())[:MAX_LISTED]]
    rows += [(f"rejected {name}", reason) for name, reason in list(found.rejected.items())[:MAX_LISTED]]
    rows += [(f"rejected {name}", f"{old} -> {new}") for name, (old, new) in list(found.reasons.items())[:MAX_LISTED]]
    pairs = [*found.rows.items(), *((f"tokens {name}", pair) for name, pair in found.tokens.items())]
    rows += [(name, f"{pair.before:,} -> {pair.after:,}") for name, pair in pairs]
    rows.append(("shards", f"{shards.shared} shared, {shards.new} new, {shards.gone} gone"))
    rows.append(("bytes", f"{shards.shared_bytes:,} shared, {shards.new_bytes:,} new, {shards.gone_bytes:,} gone"))
    told = {**found.settings, **found.models, **found.versions}
    rows += [(name, f"{old} -> {new}") for name, (old, new) in told.items()]
    rows += [("prompts", ", ".join(found.prompts))] if found.prompts else []
    print_rows(rows, console)


def _list(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return f"{len(names)}: {', '.join(names[:MAX_LISTED])}{more}"

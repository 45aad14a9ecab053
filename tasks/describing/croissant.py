"""Manifest -> croissant.json: the data set for programs that read Croissant 1.1 (mlcommons.org/croissant)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from schemas.runs import Manifest, ShardKind
from tasks.describing.columns import Column, list_columns
from tasks.describing.front import LICENCE_FILE
from tasks.describing.words import Words, cite

PARQUET = "application/x-parquet"
TYPES = {
    "string": "sc:Text",
    "large_string": "sc:Text",
    "bool": "sc:Boolean",
    "int32": "cr:Int32",
    "int64": "cr:Int64",
    "float": "cr:Float32",
}
_OWN = (  # Croissant's own words, of all that stand in its files
    "arrayShape citeAs column containedIn equivalentProperty extract field fileProperty fileObject fileSet format "
    "includes isArray isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace "
    "samplingRate separator source subField transform"
)
CONTEXT: dict[str, Any] = {  # the standard's own, in full: readers compare it
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{name: f"cr:{name}" for name in _OWN.split()},
}


def describe_croissant(manifest: Manifest, words: Words, languages: Sequence[str]) -> bytes:
    """Return a snapshot as Croissant: every shard with its hash, and the fields of every table that has rows."""
    kinds: list[ShardKind] = ["trajectories", "books", "rejected"]
    held = [kind for kind in kinds if any(shard.kind == kind for shard in manifest.shards)]
    described = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": words.title,
        "description": words.summary,
        "license": LICENCE_FILE,
        "citeAs": cite(manifest, words),
        "creator": {"@type": "sc:Organization", "name": "Scriptorium"},
        "version": f"{manifest.version}.0.0",
        "dateCreated": manifest.created,
        "datePublished": manifest.created,
        "inLanguage": list(languages),
        "keywords": list(words.tags),
        "isLiveDataset": True,
        "rai:dataCollection": words.collection,
        "rai:dataLimitations": list(words.limits),
        "rai:dataBiases": list(words.biases),
        "rai:personalSensitiveInformation": list(words.personal),
        "rai:machineAnnotationTools": [manifest.models.get("summarizer", "none")],
        "distribution": [entry for kind in held for entry in _distribution(manifest, kind)],
        "recordSet": [_record_set(kind) for kind in held],
    }
    return (json.dumps(described, indent=1, ensure_ascii=False) + "\n").encode()


def _distribution(manifest: Manifest, kind: ShardKind) -> list[dict[str, Any]]:
    """Return the files of a table, and the set of them that its fields are read from."""
    shards = [shard for shard in manifest.shards if shard.kind == kind]
    files = [
        {
            "@type": "cr:FileObject",
            "@id": shard.path,
            "name": shard.path,
            "contentUrl": shard.path,
            "contentSize": f"{shard.bytes} B",
            "encodingFormat": PARQUET,
            "sha256": shard.sha256,
        }
        for shard in shards
    ]
    paths = [shard.path for shard in shards]
    together = {"@type": "cr:FileSet", "@id": f"{kind}-files", "name": f"{kind}-files", "encodingFormat": PARQUET}
    return [*files, {**together, "includes": paths}]


def _record_set(kind: ShardKind) -> dict[str, Any]:
    columns = list_columns(kind)
    fields = [_field(kind, column, columns) for column in columns if "." not in column.name]
    key = {"trajectories": {"key": {"@id": "trajectories/trajectory_id"}}, "books": {"key": {"@id": "books/book_id"}}}
    return {"@type": "cr:RecordSet", "@id": kind, "name": kind, **key.get(kind, {}), "field": fields}


def _field(kind: ShardKind, column: Column, columns: list[Column]) -> dict[str, Any]:
    name = f"{kind}/{column.name}"
    told = {"@type": "cr:Field", "@id": name, "name": name, "description": column.meaning}
    source = {"fileSet": {"@id": f"{kind}-files"}, "extract": {"column": column.name}}
    array = {"isArray": True, "arrayShape": "-1"} if column.type.startswith("list of ") else {}
    within = [one for one in columns if one.name.startswith(f"{column.name}.")]
    if not within:
        return {**told, "dataType": TYPES[column.type.removeprefix("list of ")], "source": source, **array}
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{kind}/{one.name}",
            "name": f"{kind}/{one.name}",
            "description": one.meaning,
            "dataType": TYPES[one.type],
            "source": {**source, "transform": {"jsonPath": one.name.split(".")[1]}},
        }
        for one in within
    ]
    return {**told, "subField": fields, **array}

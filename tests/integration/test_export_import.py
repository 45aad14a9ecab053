"""`scriptorium export` and `import` as a user runs them, on a disk and into a bucket."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import boto3
import pytest

from tests.integration.conftest import end, wait_for
from tests.integration.ports import free_port

BUCKET = "exports"


@pytest.fixture(scope="module")
def s3_env(tmp_path_factory):
    """Environment of an S3 client, and a server with an empty bucket."""
    port = free_port()
    env = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "very-secret-key",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (tmp_path_factory.mktemp("s3") / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(f"http://127.0.0.1:{port}/moto-api/", process)
            yield env
        finally:
            end(process)


@pytest.fixture(scope="module")
def bucket(s3_env):
    client = boto3.client(
        "s3",
        endpoint_url=s3_env["AWS_ENDPOINT_URL"],
        aws_access_key_id=s3_env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=s3_env["AWS_SECRET_ACCESS_KEY"],
        region_name=s3_env["AWS_DEFAULT_REGION"],
    )
    client.create_bucket(Bucket=BUCKET)
    return client


def told(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_data_set_goes_out_in_longpages_columns_and_comes_back(built, cli, tmp_path):
    refused = cli("export", str(built), "--to", "table", "--as", "longpage")
    assert refused.returncode == 2
    assert "no book is left" in refused.stderr
    assert not (tmp_path / "table").exists()
    out = told(cli("export", str(built), "--to", "table", "--as", "longpage", "--untrainable", "--json"))
    assert out["contents"]["rows"] == {"default": {"train": 3}}
    first = told(cli("import", "table", "--out", "back", "--untrainable", "--json"))
    assert first["rows"] == 3
    assert first["build"]["books"] == {"in": 3, "out": 3, "rejected": {}}
    assert told(cli("verify", "back", "--json"))["ok"]
    layouts = json.loads((built / "_manifests" / f"{1:020d}.json").read_text())["accounting"]["layouts"]
    assert {name: tally["made"] for name, tally in first["build"]["accounting"]["layouts"].items()} == {
        name: tally["made"] for name, tally in layouts.items()
    }
    again = told(cli("import", "table", "--out", "back", "--untrainable", "--json"))
    assert again["build"]["is_new"] is False


def test_rows_that_cannot_be_used_are_rejected_and_repeated_ones_are_one_book(built, cli, tmp_path):
    told(cli("export", str(built), "--to", "table", "--as", "longpage", "--untrainable", "--json"))
    import pyarrow.parquet as pq

    rows = pq.read_table(next((tmp_path / "table" / "data").iterdir())).to_pylist()
    broken = {**rows[1], "book_chapters": "{}"}
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps(row) for row in (rows[0], rows[0], broken)))
    found = told(cli("import", "t.jsonl", "--out", "back", "--json"))
    assert (found["rows"], found["repeated"]) == (3, 1)
    assert found["build"]["books"] == {"in": 2, "out": 1, "rejected": {"wrong-type": 1}}
    assert told(cli("verify", "back", "--json"))["ok"]
    (tmp_path / "u.jsonl").write_text('{"book_title": "Alone"}')
    lacking = cli("import", "u.jsonl", "--out", "other")
    assert (lacking.returncode, lacking.stdout) == (2, "")
    assert "it lacks use_prompt, book_highlight" in lacking.stderr
    assert not (tmp_path / "other").exists()


def test_an_export_into_a_bucket_holds_the_same_files_as_one_on_a_disk(built, cli, s3_env, bucket, tmp_path):
    url = f"s3://{BUCKET}/hub"
    remote = told(cli("export", str(built), "--to", url, "--json", env=s3_env))
    local = told(cli("export", str(built), "--to", "hub", "--json"))
    assert remote["contents"] == local["contents"]
    for file in remote["contents"]["files"]:
        body = bucket.get_object(Bucket=BUCKET, Key=f"hub/{file['path']}")["Body"].read()
        assert body == (tmp_path / "hub" / file["path"]).read_bytes()
    taken = cli("export", str(built), "--to", url, env=s3_env)
    assert taken.returncode == 2
    assert "--force replaces it" in taken.stderr
    fewer = told(cli("export", str(built), "--to", url, "--layout", "full-book", "--force", "--json", env=s3_env))
    keys = {item["Key"].removeprefix("hub/") for item in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]}
    held = {file["path"] for file in fewer["contents"]["files"]}
    assert (
        {key for key in keys if key.startswith("data/")}
        == held
        < {file["path"] for file in remote["contents"]["files"]}
    )
    assert {"README.md", "export.json", "SNAPSHOT.md", "report/index.html"} <= keys


def test_an_older_snapshot_of_a_data_set_in_a_bucket_is_exported_without_the_newer_card(built, cli, s3_env, bucket):
    for path in sorted(path for path in built.rglob("*") if path.is_file() and "work" not in path.parts):
        bucket.upload_file(str(path), BUCKET, f"set/{path.relative_to(built).as_posix()}")
    newer = json.loads((built / "_manifests" / f"{1:020d}.json").read_text()) | {"version": 2, "parent": 1}
    bucket.put_object(Bucket=BUCKET, Key=f"set/_manifests/{2:020d}.json", Body=json.dumps(newer).encode())
    url = f"s3://{BUCKET}/set"
    assert told(cli("export", url, "--to", "new", "--json", env=s3_env))["contents"]["snapshot"] == 2
    old = told(cli("export", url, "--to", "old", "--snapshot", "1", "--json", env=s3_env))
    assert old["contents"]["snapshot"] == 1
    missing = cli("export", url, "--to", "none", "--snapshot", "7", env=s3_env)
    assert "no snapshot '7'; there are 1, 2" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--as", "longpage", "--layout", "full-book"), "its rows are books"),
        (("--untrainable",), "is of --as longpage"),
        (("--window", "8 thousand"), "give tokens, such as 8192"),
        (("--layout", "sonnet"), "snapshot 1 has chapter-window, first-chapter, full-book"),
    ],
)
def test_options_without_a_meaning_are_one_clear_line(built, cli, tmp_path, arguments, said):
    done = cli("export", str(built), "--to", "x", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_does_not_go_into_a_folder_of_other_things(built, cli, tmp_path):
    shutil.copytree(built / "report", tmp_path / "mine")
    done = cli("export", str(built), "--to", "mine")
    assert done.returncode == 2
    assert "mine holds something else (books): choose an empty folder as --to" in done.stderr
    assert "holds something else" in cli("export", str(built), "--to", str(built)).stderr

"""The same data set in a bucket, on an S3 server on this machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.integration.conftest import end, wait_for
from tests.integration.ports import free_port

BUCKET = "books"


@pytest.fixture(scope="module")
def s3_env(tmp_path_factory):
    """Environment of an S3 client, and a server with an empty bucket."""
    port = free_port()
    log = (tmp_path_factory.mktemp("s3") / "server.log").open("wb")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    env = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "very-secret-key",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        wait_for(f"http://127.0.0.1:{port}/moto-api/", process)
        import boto3

        boto3.client(
            "s3",
            endpoint_url=env["AWS_ENDPOINT_URL"],
            aws_access_key_id="test",
            aws_secret_access_key="x",
            region_name="us-east-1",
        ).create_bucket(Bucket=BUCKET)
        yield env
    finally:
        end(process)
        log.close()


def test_a_data_set_in_a_bucket_is_built_verified_and_not_made_twice(s3_env, cli):
    url = f"s3://{BUCKET}/novels"
    arguments = ["build", "--books", "top-water", "--out", url, "--json"]
    first = cli(*arguments, env=s3_env)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["books"] == {"in": 1, "out": 1, "rejected": {}}
    audit = cli("verify", url, "--json", env=s3_env)
    assert json.loads(audit.stdout)["ok"], audit.stdout + audit.stderr
    second = cli(*arguments, env=s3_env)
    assert json.loads(second.stdout)["is_new"] is False
    status = cli("status", url, env=s3_env)
    assert "1 in = 1 out + 0 rejected" in status.stdout, status.stderr
    assert "very-secret-key" not in first.stderr + second.stderr + audit.stderr + status.stderr


def test_a_bucket_that_is_not_there_is_one_clear_line(s3_env, cli):
    done = cli("build", "--out", "s3://no-such-bucket/novels", env=s3_env)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("scriptorium: ")
    assert "Traceback" not in done.stderr

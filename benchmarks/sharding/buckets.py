"""A bucket on an S3 server of this machine: moto, which checks signatures once a user and a policy are made."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from types import TracebackType
from urllib.error import URLError

import boto3

BUCKET = "books"
NUM_FREE_CALLS = 4  # made before a user exists: moto asks for no signature in them
STARTUP_S = 60
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class S3Server:
    """A server of its own process; inside the context, the environment names it and a user's key."""

    def __init__(self) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.endpoint = f"http://127.0.0.1:{one.getsockname()[1]}"
        self.environment: dict[str, str] = {}

    def __enter__(self) -> str:
        """Start it and return the URL of its bucket."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", self.endpoint.rsplit(":", 1)[-1]]
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(NUM_FREE_CALLS)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._wait()
            self.environment = make_user(self.endpoint)
        except BaseException:
            self._process.kill()
            raise
        self._before = {name: os.environ.get(name) for name in self.environment}
        os.environ.update(self.environment)
        return f"s3://{BUCKET}"

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End it, and leave the environment as it was."""
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        self._process.terminate()
        self._process.wait(20)

    def _wait(self) -> None:
        deadline = time.monotonic() + STARTUP_S
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.endpoint}/moto-api/", timeout=5).close()
            except (URLError, ConnectionError):
                time.sleep(0.2)
            else:
                return
        raise TimeoutError(f"{self.endpoint} did not answer in {STARTUP_S} s")


def make_user(endpoint: str) -> dict[str, str]:
    """Make a bucket, a user with a key, and its policy; return the environment that a client of this user needs."""
    options = {"endpoint_url": endpoint, "region_name": "us-east-1"}
    anyone = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    boto3.client("s3", **options, **anyone).create_bucket(Bucket=BUCKET)
    iam = boto3.client("iam", **options, **anyone)
    iam.create_user(UserName="writer")
    key = iam.create_access_key(UserName="writer")["AccessKey"]
    iam.put_user_policy(UserName="writer", PolicyName="all", PolicyDocument=json.dumps(POLICY))
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }

# Two images of one code: `flows` builds data sets and holds no torch, `train` fine-tunes and holds no Prefect.
#   docker build --target flows -t scriptorium-flows .
#   docker build --target train -t scriptorium-train .
FROM python:3.11-slim AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
RUN useradd --create-home scriptorium
WORKDIR /scriptorium
COPY constraints.txt ./

FROM base AS flows
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY tasks tasks
COPY flows flows
COPY deploy deploy
COPY samples samples
RUN pip install -c constraints.txt -e . && chown -R scriptorium: /scriptorium
USER scriptorium
ENTRYPOINT ["scriptorium"]
CMD ["build"]

FROM base AS train
# only what tasks/training imports: the job reads run.json and Parquet, and knows nothing of Prefect
RUN pip install -c constraints.txt torch transformers peft safetensors pydantic pyarrow fsspec s3fs tiktoken zstandard
COPY schemas schemas
COPY tasks tasks
COPY samples samples
RUN chown -R scriptorium: /scriptorium
USER scriptorium
ENTRYPOINT ["python", "-m", "tasks.training.job"]

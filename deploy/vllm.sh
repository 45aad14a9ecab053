#!/usr/bin/env bash
# Serve a model to the factory with vLLM on a GPU machine.
# usage: deploy/vllm.sh MODEL [more vllm arguments]      then: scriptorium build --llm http://HOST:8000/v1 ...
set -euo pipefail

model=${1:?usage: $0 MODEL [more vllm arguments]}
shift
# - guidance: xgrammar cannot write a quotation mark in a bounded string, and 'auto' refuses the next flag
# - disable_any_whitespace: ends the answers that loop in white space up to the token limit
# - max-num-queued-reqs: without it the queue has no end, and a busy server never says so
exec vllm serve "$model" \
  --host "${HOST:-127.0.0.1}" --port "${PORT:-8000}" \
  --structured-outputs-config '{"backend":"guidance","disable_any_whitespace":true,"disable_additional_properties":true}' \
  --enable-prompt-tokens-details \
  --max-num-queued-reqs "${MAX_QUEUED:-1024}" \
  --shutdown-timeout 60 \
  "$@"

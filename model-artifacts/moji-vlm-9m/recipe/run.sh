#!/usr/bin/env bash
# The whole recipe, from the icon packages to the ONNX files. usage: bash run.sh WORK_DIR MODEL_DIR
# Needs Node 20, and Python 3.11 with torch, onnx, onnxruntime, numpy and Pillow.
set -euo pipefail

recipe=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
mkdir -p "$1" "$2"
model=$(cd "$2" && pwd)
cd "$1"

# A heap that keeps its pages: without this, a training step spends a good part of its time in the kernel.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=20000000000 MALLOC_TOP_PAD_=268435456

cp "$recipe/package.json" .
npm install
node "$recipe/render_icons.mjs" "$recipe/classes.txt" data
"$python" "$recipe/prepare_icons.py" data
"$python" "$recipe/train_tokenizer.py" data tokenizer
"$python" "$recipe/train_vision.py" data vision.pt "${MINUTES_56:-14}" "${MINUTES_112:-19}"
"$python" "$recipe/train_vlm.py" data tokenizer/tokenizer.json vision.pt vlm.pt "${MINUTES_FROZEN:-4}" "${MINUTES_JOINT:-32}"
"$python" "$recipe/evaluate.py" data tokenizer/tokenizer.json vlm.pt "$model"
"$python" "$recipe/export.py" vlm.pt tokenizer "$model"
"$python" "$recipe/half_weights.py" "$model/onnx" "$model/onnx"
"$python" "$recipe/examples.py" data "$model" "$model/examples"

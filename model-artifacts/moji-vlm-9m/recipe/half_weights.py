"""Stores the weights of the exported float32 graphs as float16: half of the bytes, the same arithmetic.

Every large float32 initializer becomes float16 with a Cast behind it. The runtime folds the Cast when it loads the
graph, so inputs, outputs and all computation stay float32; only the rounding of the weights (2^-11) differs.

Run: python half_weights.py FLOAT32_ONNX_DIR OUT_DIR (needs onnx, numpy)
"""

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

GRAPHS = ("vision_encoder", "embed_tokens", "decoder_model_merged")

# Biases, norms and tables below this many values stay float32: they are few, and exactness is free.
SMALLEST = 1024


def halve(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replaces each large float32 initializer by a float16 one and a Cast to its old name."""
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < SMALLEST:
            continue
        stored = f"{tensor.name}_fp16"
        values = numpy_helper.to_array(tensor).astype(np.float16)
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(values, stored))
        name = f"{tensor.name}_cast"
        casts.append(helper.make_node("Cast", [stored], [tensor.name], name=name, to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)
    onnx.checker.check_model(model)
    return model


def main(source: str, target: str) -> None:
    for name in GRAPHS:
        model = halve(onnx.load(pathlib.Path(source) / f"{name}.onnx"))
        onnx.save(model, pathlib.Path(target) / f"{name}_fp16.onnx")


if __name__ == "__main__":
    main(*sys.argv[1:])

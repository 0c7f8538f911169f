"""Writes one small LLaMA with random weights in the three layouts of the cache that an origin serves, and its embedding table.

    python test/engine/layouts/make.py        (numpy, onnx, onnxruntime)

    merged.onnx   past is concatenated; attention written out (../../zoo/recipes/decoder_graph.py), the reference of the other two
    gqa.onnx      com.microsoft.GroupQueryAttention; past and present may be one buffer with room to spare
    rows.onnx     the same, but only the new rows come back, and logits of one position per sequence

Names and shapes of inputs and outputs are those of SmolLM2's graphs in the same layouts.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "zoo/recipes"))
from decoder_graph import FLOAT, INT64, Graph, Spec, write_decoder, write_embed  # noqa: E402

HIDDEN, HEADS, KV_HEADS, HEAD_DIM, FFN, LAYERS, VOCAB, POSITIONS, THETA = 32, 2, 1, 16, 64, 2, 160, 512, 10_000
MICROSOFT = "com.microsoft"


def weights(seed=5):
    rng = np.random.default_rng(seed)

    def matrix(rows, columns):
        return (rng.standard_normal((rows, columns)) * 1.5 / np.sqrt(columns)).astype(np.float32)

    layers = [
        {
            "norm1": np.ones(HIDDEN, np.float32),
            "norm2": np.ones(HIDDEN, np.float32),
            "q": matrix(HEADS * HEAD_DIM, HIDDEN),
            "k": matrix(KV_HEADS * HEAD_DIM, HIDDEN),
            "v": matrix(KV_HEADS * HEAD_DIM, HIDDEN),
            "o": matrix(HIDDEN, HEADS * HEAD_DIM),
            "gate": matrix(FFN, HIDDEN),
            "up": matrix(FFN, HIDDEN),
            "down": matrix(HIDDEN, FFN),
        }
        for _ in range(LAYERS)
    ]
    # Sharp logits, so that the best token is no close call.
    spec = Spec(
        hidden=HIDDEN,
        heads=HEADS,
        kv_heads=KV_HEADS,
        head_dim=HEAD_DIM,
        layers=layers,
        final_norm=np.ones(HIDDEN, np.float32),
        lm_head=4 * matrix(VOCAB, HIDDEN),
        rope_inv_freq=(THETA ** (-np.arange(0, HEAD_DIM, 2) / HEAD_DIM)).astype(np.float32),
    )
    return spec, matrix(VOCAB, HIDDEN)


def write_slots(path, s, layout):
    """Attention by one contributed operator that finds each sequence's length in `attention_mask`."""
    g = Graph()

    def f(value):
        return g.const(value, np.float32)

    def i(value):
        return g.const(value, np.int64)

    def linear(x, w):
        return g.MatMul(x, f(w.T))

    def norm(x, w):
        square = g.ReduceMean(g.Mul(x, x), i([-1]), keepdims=1)
        return g.Mul(g.Div(x, g.Sqrt(g.Add(square, f(s.eps)))), f(w))

    x = g.input("inputs_embeds", FLOAT, ["batch", "sequence", s.hidden])
    mask = g.input("attention_mask", INT64, ["batch", "total_sequence"])
    positions = g.input("position_ids", INT64, ["batch", "sequence"])
    cache = ["batch", s.kv_heads, "past_sequence", s.head_dim]
    past = [
        [g.input(f"past_key_values.{n}.{kind}", FLOAT, cache) for kind in ("key", "value")] for n in range(len(s.layers))
    ]
    lengths = g.Cast(g.Sub(g.ReduceSum(mask, i([1]), keepdims=0), i(1)), to=onnx.TensorProto.INT32)
    total = g.Cast(g.Gather(g.Shape(mask), i(1)), to=onnx.TensorProto.INT32)
    angles = np.outer(np.arange(POSITIONS), s.rope_inv_freq)
    cos, sin = f(np.cos(angles)), f(np.sin(angles))

    for n, w in enumerate(s.layers):
        h = norm(x, w["norm1"])
        q, k, v = (linear(h, w[part]) for part in ("q", "k", "v"))
        q, k = (g.RotaryEmbedding(part, positions, cos, sin, domain=MICROSOFT) for part in (q, k))
        present = [f"present.{n}.{kind}" if layout == "gqa" else f"unused.{n}.{kind}" for kind in ("key", "value")]
        mixed = f"mixed_{n}"
        attention = helper.make_node(
            "GroupQueryAttention",
            [q, k, v, *past[n], lengths, total],
            [mixed, *present],
            domain=MICROSOFT,
            num_heads=s.heads,
            kv_num_heads=s.kv_heads,
        )
        g.nodes.append(attention)
        if layout == "rows":
            for kind, rows in (("key", k), ("value", v)):
                by_head = g.Reshape(rows, i([0, 0, s.kv_heads, s.head_dim]))
                g.Transpose(by_head, perm=[0, 2, 1, 3], out=f"new_key_values.{n}.{kind}")
        x = g.Add(x, linear(mixed, w["o"]))
        h = norm(x, w["norm2"])
        gate = linear(h, w["gate"])
        x = g.Add(x, linear(g.Mul(g.Mul(gate, g.Sigmoid(gate)), linear(h, w["up"])), w["down"]))

    x = norm(x, s.final_norm)
    if layout == "rows":
        index = g.input("logits_index", INT64, ["batch"])
        x = g.GatherND(x, g.Unsqueeze(index, i([1])), batch_dims=1)
    g.MatMul(x, f(s.lm_head.T), out="logits")
    sequence = [] if layout == "rows" else ["sequence"]
    g.output("logits", FLOAT, ["batch", *sequence, s.lm_head.shape[0]])
    name, length = ("new_key_values", "sequence") if layout == "rows" else ("present", "present_sequence")
    for n in range(len(s.layers)):
        for kind in ("key", "value"):
            g.output(f"{name}.{n}.{kind}", FLOAT, ["batch", s.kv_heads, length, s.head_dim])
    graph = helper.make_graph(g.nodes, path.stem, g.inputs, g.outputs, g.weights)
    imports = [helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)]
    model = helper.make_model(graph, opset_imports=imports, producer_name="layouts")
    model.ir_version = 9
    onnx.save(model, path)


def main():
    spec, table = weights()
    write_decoder(HERE / "merged.onnx", spec)
    for layout in ("gqa", "rows"):
        write_slots(HERE / f"{layout}.onnx", spec, layout)
    write_embed(HERE / "embed_tokens.onnx", table)
    config = {
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD_DIM,
        "num_hidden_layers": LAYERS,
        "vocab_size": VOCAB,
        "max_position_embeddings": POSITIONS,
        "eos_token_id": 0,
    }
    (HERE / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    for path in sorted(HERE.glob("*.onnx")):
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()

"""Writes the decoder of a text model as an ONNX graph, node by node, and its embedding table as another.

    inputs_embeds [B,S,H], attention_mask [B,P+S], position_ids [B,S] or [3,B,S], past_key_values.N.key/value [B,K,P,D]
 -> logits [B,S,V], present.N.key/value [B,K,P+S,D]

B, S and P are free and P may be 0. Rows of attention_mask that are 0 are padding, on either side.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
MASKED = -1e9


@dataclass
class Spec:
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    layers: list  # of dicts: name -> array, see `layer_weights`
    final_norm: np.ndarray
    lm_head: np.ndarray  # [V,H]
    rope_inv_freq: np.ndarray  # [D / 2]
    eps: float = 1e-5
    activation: str = "silu"  # or gelu_tanh
    causal: bool = True  # False: the tokens of one call see each other (prefix attention)
    mrope_sections: list | None = None  # lengths over D / 2; then position_ids is [3,B,S]


class Graph:
    """Every call of an operator adds a node and gives back the name of its output."""

    def __init__(self):
        self.nodes, self.weights, self.inputs, self.outputs, self.count, self.known = [], [], [], [], 0, {}

    def const(self, value, dtype, name=None):
        array = np.ascontiguousarray(np.asarray(value, dtype)) if np.ndim(value) else np.asarray(value, dtype)
        key = None if array.size > 64 else (array.dtype.str, array.shape, array.tobytes())
        if key in self.known:
            return self.known[key]
        name = name or f"const_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        if key:
            self.known[key] = name
        return name

    def __getattr__(self, op):
        def add(*inputs, n=1, out=None, **attributes):
            self.count += 1
            stem = f"{op.lower()}_{self.count}"
            names = [out] if out else [stem] if n == 1 else [f"{stem}_{i}" for i in range(n)]
            self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
            return names[0] if n == 1 else names

        return add

    def input(self, name, kind, shape):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name, kind, shape):
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def save(self, path):
        graph = helper.make_graph(self.nodes, path.stem, self.inputs, self.outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="zoo")
        model.ir_version = 9
        onnx.checker.check_model(model)
        onnx.save(model, path)


def write_decoder(path, s: Spec):
    g = Graph()

    def f(value):
        return g.const(value, np.float32)

    def i(value):
        return g.const(value, np.int64)

    def linear(x, w, b=None):
        y = g.MatMul(x, f(np.asarray(w).T))
        return y if b is None else g.Add(y, f(b))

    def norm(x, w):
        square = g.ReduceMean(g.Mul(x, x), i([-1]), keepdims=1)
        return g.Mul(g.Div(x, g.Sqrt(g.Add(square, f(s.eps)))), f(w))

    def act(x):
        if s.activation == "silu":
            return g.Mul(x, g.Sigmoid(x))
        cube = g.Mul(g.Mul(x, x), x)
        inner = g.Mul(f(np.sqrt(2 / np.pi)), g.Add(x, g.Mul(f(0.044715), cube)))
        return g.Mul(g.Mul(f(0.5), x), g.Add(f(1.0), g.Tanh(inner)))

    x = g.input("inputs_embeds", FLOAT, ["batch_size", "sequence_length", s.hidden])
    mask = g.input("attention_mask", INT64, ["batch_size", "total_sequence_length"])
    axes = [3] if s.mrope_sections else []
    positions = g.input("position_ids", INT64, [*axes, "batch_size", "sequence_length"])
    cache = ["batch_size", s.kv_heads, "past_sequence_length", s.head_dim]
    past = [
        [g.input(f"past_key_values.{n}.{kind}", FLOAT, cache) for kind in ("key", "value")] for n in range(len(s.layers))
    ]

    # Additive mask [B,1,S,T]: key j is seen where attention_mask[j] is 1 and, in causal graphs, j <= P + query
    total = g.Shape(mask, start=1, end=2)
    seen = g.Unsqueeze(g.Cast(mask, to=TensorProto.BOOL), i([1, 2]))
    if s.causal:
        length = g.Shape(x, start=1, end=2)
        keys = g.Range(i(0), g.Squeeze(total), i(1))
        queries = g.Add(g.Range(i(0), g.Squeeze(length), i(1)), g.Sub(total, length))
        order = g.LessOrEqual(g.Unsqueeze(keys, i([0])), g.Unsqueeze(queries, i([1])))
        seen = g.And(seen, g.Unsqueeze(order, i([0, 1])))
    bias = g.Where(seen, f(0.0), f(MASKED))

    half = len(s.rope_inv_freq)
    angle = g.Mul(g.Unsqueeze(g.Cast(positions, to=FLOAT), i([-1])), f(s.rope_inv_freq))
    if s.mrope_sections:
        parts = g.Split(angle, i(s.mrope_sections), axis=-1, n=len(s.mrope_sections))
        picked = [
            g.Squeeze(g.Slice(part, i([n % 3]), i([n % 3 + 1]), i([0])), i([0])) for n, part in enumerate(parts)
        ]
        angle = g.Concat(*picked, axis=-1)
    angle = g.Unsqueeze(angle, i([1]))  # [B,1,S,D/2], the same for all heads
    cos, sin = g.Cos(angle), g.Sin(angle)

    def rotate(t):
        a, b = g.Split(t, i([half, half]), axis=-1, n=2)
        return g.Concat(g.Sub(g.Mul(a, cos), g.Mul(b, sin)), g.Add(g.Mul(b, cos), g.Mul(a, sin)), axis=-1)

    def heads(t, count):
        return g.Transpose(g.Reshape(t, i([0, 0, count, s.head_dim])), perm=[0, 2, 1, 3])

    group = s.heads // s.kv_heads

    def wide(t):
        """[B,K,T,D] -> [B,heads,T,D]"""
        if group == 1:
            return t
        repeated = g.Expand(g.Unsqueeze(t, i([2])), i([1, 1, group, 1, 1]))
        return g.Reshape(repeated, g.Concat(i([0, s.heads]), total, i([s.head_dim]), axis=0))

    for n, w in enumerate(s.layers):
        h = norm(x, w["norm1"])
        q, k, v = (
            heads(linear(h, w[p], w.get(f"{p}_b")), c) for p, c in (("q", s.heads), ("k", s.kv_heads), ("v", s.kv_heads))
        )
        if "q_norm" in w:
            q, k = norm(q, w["q_norm"]), norm(k, w["k_norm"])
        k = g.Concat(past[n][0], rotate(k), axis=2, out=f"present.{n}.key")
        v = g.Concat(past[n][1], v, axis=2, out=f"present.{n}.value")
        scores = g.Mul(g.MatMul(rotate(q), g.Transpose(wide(k), perm=[0, 1, 3, 2])), f(s.head_dim**-0.5))
        mixed = g.MatMul(g.Softmax(g.Add(scores, bias), axis=-1), wide(v))
        mixed = g.Reshape(g.Transpose(mixed, perm=[0, 2, 1, 3]), i([0, 0, s.heads * s.head_dim]))
        x = g.Add(x, linear(mixed, w["o"], w.get("o_b")))
        h = norm(x, w["norm2"])
        x = g.Add(x, linear(g.Mul(act(linear(h, w["gate"])), linear(h, w["up"])), w["down"]))

    g.MatMul(norm(x, s.final_norm), f(s.lm_head.T), out="logits")
    g.output("logits", FLOAT, ["batch_size", "sequence_length", s.lm_head.shape[0]])
    for n in range(len(s.layers)):
        for kind in ("key", "value"):
            g.output(f"present.{n}.{kind}", FLOAT, ["batch_size", s.kv_heads, "total_sequence_length", s.head_dim])
    g.save(path)


def write_embed(path, table):
    """@param table: [V,H], scaled as the model scales it"""
    g = Graph()
    g.input("input_ids", INT64, ["batch_size", "sequence_length"])
    g.Gather(g.const(table, np.float32, "embed_tokens"), "input_ids", out="inputs_embeds")
    g.output("inputs_embeds", FLOAT, ["batch_size", "sequence_length", table.shape[1]])
    g.save(path)


def array(t):
    return None if t is None else t.detach().float().numpy()


def layer_weights(layer):
    """Names the weights of one decoder layer of LLaMA's kind."""
    a, m = layer.self_attn, layer.mlp
    out = {
        "norm1": layer.input_layernorm.weight,
        "norm2": layer.post_attention_layernorm.weight,
        "gate": m.gate_proj.weight,
        "up": m.up_proj.weight,
        "down": m.down_proj.weight,
    }
    for key in ("q", "k", "v", "o"):
        module = getattr(a, f"{key}_proj")
        out[key], out[f"{key}_b"] = module.weight, module.bias
    for key in ("q_norm", "k_norm"):
        if hasattr(a, key):
            out[key] = getattr(a, key).weight
    return {key: array(value) for key, value in out.items() if value is not None}


def llama_like(text, lm_head, config, **changes):
    """The Spec of a text model with `.layers`, `.norm` and `.rotary_emb`: LLaMA, Mistral, Qwen2, Qwen3."""
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    spec = dict(
        hidden=config.hidden_size,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_dim=head_dim,
        layers=[layer_weights(layer) for layer in text.layers],
        final_norm=array(text.norm.weight),
        lm_head=array(lm_head.weight),
        eps=config.rms_norm_eps,
        rope_inv_freq=array(text.rotary_emb.inv_freq),
    )
    return Spec(**{**spec, **changes})

"""Seeded weights that make a small random model decisive, and the export of its vision side."""

import numpy as np
import onnx
import torch

SHARP = ("q_proj", "k_proj", "query.", "key.")


def reseed(model, seed, gain=1.3, embed=1.0, head=2.5, sharp=1.6, pixel=2.0, quiet=(), overrides=()):
    """Matrices are normal with a deviation of gain / sqrt(inputs), sharper for q, k and the pixel embedding; biases are
    not zero, norm weights vary, and output rows of the ids in `quiet` are near zero so that they are not generated.

    @param overrides: pairs (part of a parameter's name, factor); all that match are applied
    """
    generator = torch.Generator().manual_seed(seed)
    modules = dict(model.named_modules())
    for name, p in sorted(model.named_parameters(), key=lambda pair: pair[0]):
        owner = type(modules[name.rpartition(".")[0]]).__name__
        low = name.lower()
        factor = float(np.prod([by for part, by in overrides if part in low]))
        deviation, mean = _shape_of(low, owner, p, gain, embed, head, sharp, pixel)
        p.data.copy_((torch.randn(p.shape, generator=generator) * deviation + mean) * factor)
    head_rows = model.get_output_embeddings()
    with torch.no_grad():
        head_rows.weight[list(quiet)] *= 0.02
    return model.eval()


def _shape_of(low, owner, p, gain, embed, head, sharp, pixel):
    """Deviation and mean of one parameter."""
    if p.ndim == 1 and ("norm" in low or "norm" in owner.lower()):
        # Gemma's norms multiply by 1 + weight
        return (0.1, 0.0) if low.endswith("bias") else (0.15, 0.0 if "Gemma" in owner else 1.0)
    if "newline" in low or "query_tokens" in low or "class_embed" in low or "cls" in low:
        return 1.0, 0.0
    if p.ndim <= 1:
        return 0.2, 0.0
    if "position" in low:
        return 0.5, 0.0
    if "embed_tokens" in low or "Embedding" in owner:
        return embed, 0.0
    factor = head if "lm_head" in low else pixel if "patch_embed" in low else sharp if any(s in low for s in SHARP) else gain
    return factor / float(np.prod(p.shape[1:])) ** 0.5, 0.0


def export(module, args, path, inputs, dynamic, outputs=("image_features",)):
    """Traces `module` into an ONNX file with its weights inside.

    @param dynamic: name of an input or output -> {axis: name}
    """
    with torch.no_grad():
        torch.onnx.export(
            module.eval(),
            args,
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=dynamic,
            opset_version=18,
            dynamo=False,
        )
    onnx.checker.check_model(str(path))

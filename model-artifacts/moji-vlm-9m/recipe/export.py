"""Exports the three ONNX graphs and the configuration files of a transformers.js vision-language model.

usage: python3 export.py VLM.pt TOKENIZER_DIR OUT_DIR
"""

import inspect
import os
import shutil
import sys

import onnx
import torch
from torch import nn

from checkpoint import LANGUAGE_MODEL, VISION, load_checkpoint
from dimensions import HEAD_DIM, IMAGE_SIZE, TEXT_KV_HEADS, TEXT_LAYERS, TEXT_WIDTH
from generate import attention_bias
from language_model import LanguageModel
from model_config import write_configs
from tokenizer import Tokenizer
from vision import Vision

OPSET = 17
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
BATCH, SEQUENCE = "batch_size", "sequence_length"
PAST, TOTAL = "past_sequence_length", "total_sequence_length"


class WholePicture(nn.Module):
    """The encoder without its window offsets, which the tracer would take for inputs of the graph."""

    def __init__(self, vision):
        super().__init__()
        self.vision = vision

    def forward(self, pixel_values):
        return self.vision(pixel_values)


class Decoder(nn.Module):
    """inputs_embeds [B, S, W], attention_mask [B, N], position_ids [B, S], past -> logits, keys and values."""

    def __init__(self, language_model):
        super().__init__()
        self.language_model = language_model

    def forward(self, inputs_embeds, attention_mask, position_ids, *past):
        pairs = [(past[2 * index], past[2 * index + 1]) for index in range(TEXT_LAYERS)]
        bias = attention_bias(attention_mask, inputs_embeds.shape[1])
        hidden, present = self.language_model.hidden(inputs_embeds, position_ids, bias, pairs)
        return (self.language_model.logits(hidden),) + tuple(tensor for pair in present for tensor in pair)


def export_graph(module, arguments, path, inputs, outputs, dynamic_axes):
    # Newer versions of torch export through dynamo unless told otherwise; older ones know no such option.
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(
        module,
        arguments,
        path,
        opset_version=OPSET,
        input_names=inputs,
        output_names=outputs,
        dynamic_axes=dynamic_axes,
        **options,
    )
    onnx.checker.check_model(onnx.load(path))


def export_vision(vision, path):
    axes = {"pixel_values": {0: BATCH}, "image_features": {0: BATCH}}
    pixels = torch.zeros(2, 3, IMAGE_SIZE, IMAGE_SIZE)
    export_graph(WholePicture(vision), pixels, path, ["pixel_values"], ["image_features"], axes)


def export_embed_tokens(language_model, path):
    axes = {"input_ids": {0: BATCH, 1: SEQUENCE}, "inputs_embeds": {0: BATCH, 1: SEQUENCE}}
    ids = torch.zeros(2, 5, dtype=torch.long)
    export_graph(language_model.embed_tokens, ids, path, ["input_ids"], ["inputs_embeds"], axes)


def export_decoder(language_model, path):
    batch, new_tokens, past_tokens = 2, 5, 3
    past = [torch.zeros(batch, TEXT_KV_HEADS, past_tokens, HEAD_DIM) for _ in range(2 * TEXT_LAYERS)]
    past_names = [f"past_key_values.{i}.{part}" for i in range(TEXT_LAYERS) for part in ("key", "value")]
    present_names = [f"present.{i}.{part}" for i in range(TEXT_LAYERS) for part in ("key", "value")]
    axes = {
        "inputs_embeds": {0: BATCH, 1: SEQUENCE},
        "attention_mask": {0: BATCH, 1: TOTAL},
        "position_ids": {0: BATCH, 1: SEQUENCE},
        "logits": {0: BATCH, 1: SEQUENCE},
    }
    axes.update({name: {0: BATCH, 2: PAST} for name in past_names})
    axes.update({name: {0: BATCH, 2: TOTAL} for name in present_names})
    arguments = (
        torch.zeros(batch, new_tokens, TEXT_WIDTH),
        torch.ones(batch, past_tokens + new_tokens, dtype=torch.long),
        torch.zeros(batch, new_tokens, dtype=torch.long),
        *past,
    )
    inputs = ["inputs_embeds", "attention_mask", "position_ids"] + past_names
    export_graph(Decoder(language_model), arguments, path, inputs, ["logits"] + present_names, axes)


def main(checkpoint_file, tokenizer_dir, out_dir):
    os.makedirs(f"{out_dir}/onnx", exist_ok=True)
    tokenizer = Tokenizer(f"{tokenizer_dir}/tokenizer.json")
    vision, language_model = Vision(), LanguageModel(tokenizer.size)
    load_checkpoint(checkpoint_file, {VISION: vision, LANGUAGE_MODEL: language_model})
    vision.eval()
    language_model.eval()
    with torch.no_grad():
        export_vision(vision, f"{out_dir}/onnx/vision_encoder.onnx")
        export_embed_tokens(language_model, f"{out_dir}/onnx/embed_tokens.onnx")
        export_decoder(language_model, f"{out_dir}/onnx/decoder_model_merged.onnx")
    if os.path.abspath(tokenizer_dir) != os.path.abspath(out_dir):
        for name in TOKENIZER_FILES:
            shutil.copy(f"{tokenizer_dir}/{name}", f"{out_dir}/{name}")
    write_configs(tokenizer, out_dir)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""LLaVA-NeXT: CLIP tower on anyres tiles, two-layer GELU projector, unpadding, image_newline after every row, text by Mistral or
by LLaMA with Vicuna's prompts."""

import numpy as np
import torch
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextProcessor,
    MistralConfig,
)
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil

from decoder_graph import array, llama_like, write_decoder, write_embed
from family import Family, tokenizer_from
from tokenizers_small import llama_bpe
from weights import export, reseed

MISTRAL = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' }}"
    "{% for part in message['content'] if part['type'] == 'image' %}{{ '<image>\n' }}{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}{{ ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' }}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}{{ '</s> ' }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
VICUNA = (
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': ' }}{% endif %}"
    "{% for part in message['content'] if part['type'] == 'image' %}{{ '<image>\n' }}{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}"
    "{{ part['text'] + ('</s>' if message['role'] == 'assistant' else ' ') }}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
TILE, PATCH = 56, 14


class Features(torch.nn.Module):
    """Tiles of ONE picture [tiles,3,56,56] and its (height, width) [1,2] -> rows [N,H]. All sizes are worked out inside."""

    def __init__(self, model):
        super().__init__()
        self.tower, self.projector = model.model.vision_tower, model.model.multi_modal_projector
        self.newline, self.layer = model.model.image_newline, model.config.vision_feature_layer
        self.grids = torch.tensor(model.config.image_grid_pinpoints)  # (height, width)

    def forward(self, pixel_values, image_sizes):
        hidden = self.tower(pixel_values, output_hidden_states=True).hidden_states[self.layer]
        features = self.projector(hidden[:, 1:])  # without the class token
        side, width = TILE // PATCH, features.shape[-1]
        height, columns = image_sizes[0, 0].double(), image_sizes[0, 1].double()
        grid = self.grid(height, columns) * side
        top, left = padding(height, columns, grid)
        rows = torch.arange(grid[0] - 2 * top) + top
        cols = torch.arange(grid[1] - 2 * left) + left
        tile = 1 + (rows // side)[:, None] * (grid[1] // side) + (cols // side)[None]
        index = tile * side**2 + (rows % side)[:, None] * side + (cols % side)[None]
        view = features.reshape(-1, width)[index]
        newline = self.newline + torch.zeros_like(view[:, :1])
        return torch.cat([features[0], torch.cat([view, newline], 1).reshape(-1, width)])

    def grid(self, height, width):
        """The grid that keeps most pixels, then wastes least; (rows, columns) of tiles."""
        h, w = self.grids[:, 0].double(), self.grids[:, 1].double()
        scale = torch.minimum(w / width, h / height)
        kept = torch.minimum(torch.floor(width * scale) * torch.floor(height * scale), width * height)
        return self.grids[torch.argmax(kept * 2.0**24 - (h * w - kept))] // TILE


def padding(height, width, grid):
    """Rows above, and columns to the left, that hold no picture."""
    h, w = grid[0].double(), grid[1].double()
    wide = width / height > w / h
    kept = torch.where(wide, height * (w / width), width * (h / height))
    kept = torch.floor(torch.round(kept * 1e7) / 1e7).long()
    zero = torch.zeros_like(kept)
    return torch.where(wide, (grid[0] - kept) // 2, zero), torch.where(wide, zero, (grid[1] - kept) // 2)


class LlavaNext(Family):
    name = "llava-next"
    seed = 12
    template = MISTRAL

    def text_config(self, **sizes):
        return MistralConfig(sliding_window=None, head_dim=16, **sizes)

    def make(self):
        tok = llama_bpe(560, added=["<image>", "<pad>"])
        self.image_token, self.eos = tok.token_to_id("<image>"), [2]
        pad = tok.token_to_id("<pad>")
        grids = [[TILE * h, TILE * w] for h, w in ((1, 2), (2, 1), (2, 2), (1, 3), (3, 1))]
        vision = CLIPVisionConfig(
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=3,
            num_attention_heads=3,
            image_size=TILE,
            patch_size=PATCH,
            projection_dim=32,
        )
        text = self.text_config(
            vocab_size=tok.get_vocab_size(),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=pad,
            tie_word_embeddings=False,
        )
        config = LlavaNextConfig(
            vision_config=vision,
            text_config=text,
            image_token_index=self.image_token,
            vision_feature_layer=-2,
            vision_feature_select_strategy="default",
            image_grid_pinpoints=grids,
            tie_word_embeddings=False,
        )
        model = LlavaNextForConditionalGeneration(config)
        reseed(model, self.seed, quiet=[0, 1, self.image_token, pad])
        model.generation_config.update(bos_token_id=1, eos_token_id=2, pad_token_id=pad)
        processor = LlavaNextProcessor(
            image_processor=LlavaNextImageProcessorPil(
                size={"shortest_edge": TILE}, crop_size={"height": TILE, "width": TILE}, image_grid_pinpoints=grids
            ),
            tokenizer=tokenizer_from(tok, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>"),
            patch_size=PATCH,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
            chat_template=self.template,
        )
        return model, processor

    def torch_features(self, inputs):
        out = self.model.get_image_features(inputs["pixel_values"], image_sizes=inputs["image_sizes"])
        return torch.cat(list(out.pooler_output))

    def onnx_features(self, runner, inputs):
        """Picture by picture: the tile axis of pixel_values is padded to the picture with most tiles."""
        parts = []
        for tiles, size in zip(inputs["pixel_values"], inputs["image_sizes"]):
            parts.append(runner.features({"pixel_values": tiles.numpy(), "image_sizes": size[None].numpy()}))
        return np.concatenate(parts)

    def write_onnx(self, folder):
        m = self.model
        export(
            Features(m),
            (torch.zeros(5, 3, TILE, TILE), torch.tensor([[200, 290]])),
            folder / "onnx/vision_encoder.onnx",
            ["pixel_values", "image_sizes"],
            {"pixel_values": {0: "num_tiles"}, "image_features": {0: "num_rows"}},
        )
        write_embed(folder / "onnx/embed_tokens.onnx", array(m.get_input_embeddings().weight))
        decoder = llama_like(m.model.language_model, m.lm_head, m.config.text_config)
        write_decoder(folder / "onnx/decoder_model_merged.onnx", decoder)


class LlavaNextVicuna(LlavaNext):
    name = "llava-next-vicuna"
    seed = 5
    template = VICUNA

    def text_config(self, **sizes):
        return LlamaConfig(**sizes)


if __name__ == "__main__":
    LlavaNext().main()
    LlavaNextVicuna().main()

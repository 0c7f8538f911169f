"""Qwen2.5-VL: pictures keep their size (to multiples of 28), patches of 2 frames x 14 x 14 see each other inside windows and, in
some layers, all over; 2 x 2 patches merge into one row; text positions have three axes (M-RoPE)."""

import numpy as np
import torch
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLVideoProcessor,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from decoder_graph import array, llama_like, write_decoder, write_embed
from family import Family, tokenizer_from
from tokenizers_small import byte_level_bpe
from weights import export, reseed

TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in part %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIALS = [
    f"<|{name}|>" for name in "endoftext im_start im_end vision_start vision_end image_pad video_pad".split()
]
PATCH, MERGE, WINDOW = 14, 2, 56
SECTIONS = [2, 3, 3]


class Features(torch.nn.Module):
    """pixel_values [patches,3*2*14*14] and image_grid_thw [pictures,3] -> rows [patches/4,H]. Patches stay in the processor's
    order; upstream sorts them by window and back, which is the same but for the order of sums."""

    def __init__(self, model):
        super().__init__()
        self.visual = model.model.visual

    def forward(self, pixel_values, image_grid_thw):
        v = self.visual
        x = v.patch_embed(pixel_values)
        frame, row, column = places(image_grid_thw, x.shape[0])
        inverse = v.rotary_pos_emb.inv_freq
        angle = torch.cat([row[:, None].float() * inverse, column[:, None].float() * inverse], -1)
        angle = torch.cat([angle, angle], -1)[None]
        turn = angle.cos(), angle.sin()
        side = WINDOW // PATCH
        everywhere = same(frame)
        window = everywhere + same((row // side) * 4096 + column // side)
        for n, block in enumerate(v.blocks):
            x = x + attend(block.attn, block.norm1(x), turn, everywhere if n in v.fullatt_block_indexes else window)
            x = x + block.mlp(block.norm2(x))
        return v.merger(x)


def places(grid, count):
    """Of each patch in the processor's order (2 x 2 blocks together): a number of its frame, its row, its column."""
    sizes = grid[:, 0] * grid[:, 1] * grid[:, 2]
    ends = torch.cumsum(sizes, 0)
    n = torch.arange(count)
    picture = (n[:, None] >= ends[None]).long().sum(1)
    local = n - (ends - sizes)[picture]
    h, w = grid[picture, 1], grid[picture, 2]
    frame, local = local // (h * w), local % (h * w)
    block, inner = local // MERGE**2, local % MERGE**2
    row = (block // (w // MERGE)) * MERGE + inner // MERGE
    column = (block % (w // MERGE)) * MERGE + inner % MERGE
    return picture * 65536 + frame, row, column


def same(a):
    """Additive mask [1,N,N]: 0 where two patches have the same number."""
    return torch.where(a[:, None] == a[None], 0.0, -1e9)[None]


def attend(attention, x, turn, bias):
    n, heads = x.shape[0], attention.num_heads
    q, k, v = attention.qkv(x).reshape(n, 3, heads, -1).permute(1, 2, 0, 3).unbind(0)  # [heads,N,D]
    weights = torch.softmax(rotate(q, *turn) @ rotate(k, *turn).transpose(-1, -2) * attention.scaling + bias, -1)
    return attention.proj((weights @ v).transpose(0, 1).reshape(n, -1))


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Qwen25Vl(Family):
    name = "qwen2-5-vl"
    seed = 13

    def make(self):
        tok = byte_level_bpe(560, added=SPECIALS)
        at = {name: tok.token_to_id(name) for name in SPECIALS}
        self.image_token, self.eos = at["<|image_pad|>"], [at["<|im_end|>"], at["<|endoftext|>"]]
        vision = dict(
            depth=3,
            hidden_size=48,
            intermediate_size=64,
            num_heads=3,
            out_hidden_size=64,
            patch_size=PATCH,
            spatial_merge_size=MERGE,
            temporal_patch_size=2,
            window_size=WINDOW,
            fullatt_block_indexes=[1],
        )
        text = dict(
            vocab_size=tok.get_vocab_size(),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=8192,
            rms_norm_eps=1e-6,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0, "mrope_section": SECTIONS},
            bos_token_id=at["<|endoftext|>"],
            eos_token_id=at["<|im_end|>"],
            pad_token_id=at["<|endoftext|>"],
            tie_word_embeddings=False,
        )
        config = Qwen2_5_VLConfig(
            vision_config=vision,
            text_config=text,
            image_token_id=self.image_token,
            video_token_id=at["<|video_pad|>"],
            vision_start_token_id=at["<|vision_start|>"],
            vision_end_token_id=at["<|vision_end|>"],
            tie_word_embeddings=False,
        )
        model = Qwen2_5_VLForConditionalGeneration(config)
        reseed(model, self.seed, quiet=[at[name] for name in SPECIALS if name != "<|im_end|>"])
        ends = dict(bos_token_id=at["<|endoftext|>"], eos_token_id=self.eos, pad_token_id=at["<|endoftext|>"])
        model.generation_config.update(**ends)
        size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 48}
        tokenizer = tokenizer_from(tok, eos_token="<|im_end|>", pad_token="<|endoftext|>")
        image, video = Qwen2VLImageProcessorPil(size=size), Qwen2VLVideoProcessor(size=size)
        return model, Qwen2_5_VLProcessor(image, tokenizer, video, chat_template=TEMPLATE)

    def torch_features(self, inputs):
        out = self.model.get_image_features(inputs["pixel_values"], inputs["image_grid_thw"])
        return torch.cat(list(out.pooler_output))

    def onnx_features(self, runner, inputs):
        return runner.features({key: inputs[key].numpy() for key in ("pixel_values", "image_grid_thw")})

    def positions(self, inputs):
        if "image_grid_thw" not in inputs:
            return np.broadcast_to(np.arange(inputs["input_ids"].shape[1]), (3, inputs["input_ids"].shape[1]))
        kinds, grid = inputs["mm_token_type_ids"], inputs["image_grid_thw"]
        index, _ = self.model.model.get_rope_index(inputs["input_ids"], mm_token_type_ids=kinds, image_grid_thw=grid)
        return index[:, 0].numpy()

    def write_onnx(self, folder):
        m = self.model
        export(
            Features(m),
            (torch.zeros(56, 3 * 2 * PATCH**2), torch.tensor([[1, 4, 6], [1, 8, 4]])),
            folder / "onnx/vision_encoder.onnx",
            ["pixel_values", "image_grid_thw"],
            {
                "pixel_values": {0: "num_patches"},
                "image_grid_thw": {0: "num_images"},
                "image_features": {0: "num_rows"},
            },
        )
        write_embed(folder / "onnx/embed_tokens.onnx", array(m.get_input_embeddings().weight))
        text = m.model.language_model
        decoder = llama_like(text, m.lm_head, m.config.text_config, mrope_sections=SECTIONS)
        write_decoder(folder / "onnx/decoder_model_merged.onnx", decoder)


if __name__ == "__main__":
    Qwen25Vl().main()

"""InternVL: a picture in a grid of tiles and a thumbnail, ViT with layer scale, pixel shuffle, normed projector, Qwen2 or Qwen3 text."""

import torch
from transformers import (
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    InternVLVideoProcessor,
    InternVLVisionConfig,
    Qwen2Config,
    Qwen3Config,
)
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

from decoder_graph import array, llama_like, write_decoder, write_embed
from family import Family, tokenizer_from
from tokenizers_small import byte_level_bpe
from weights import export, reseed

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' %}{{ '<IMG_CONTEXT>\n' }}{% elif content['type'] == 'text' %}"
    "{{ content['text'] }}{% endif %}{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
NAMES = {
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *NAMES.values()]
TILE, PATCH = 112, 14
ROWS = (TILE // PATCH // 2) ** 2


class Features(torch.nn.Module):
    """Frames of one or more pictures [N,3,112,112] -> [N,16,H]"""

    def __init__(self, model):
        super().__init__()
        self.model = model
        embeddings = model.model.vision_tower.embeddings
        # Frames have one size; traced, the class would resample its positions to what they are
        embeddings.interpolate_pos_encoding = lambda *_: embeddings.position_embeddings

    def forward(self, pixel_values):
        return self.model.get_image_features(pixel_values).pooler_output


class InternVl(Family):
    name = "internvl"
    seed = 3

    def text_config(self, **sizes):
        return Qwen2Config(**sizes)

    def make(self):
        tok = byte_level_bpe(560, added=SPECIALS)
        ids = {token: tok.token_to_id(token) for token in SPECIALS}
        self.image_token, self.eos = ids["<IMG_CONTEXT>"], [ids["<|im_end|>"]]
        vision = InternVLVisionConfig(
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=TILE,
            patch_size=PATCH,
            attention_bias=True,
        )
        text = self.text_config(
            vocab_size=tok.get_vocab_size(),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=4096,
            bos_token_id=ids["<|im_start|>"],
            eos_token_id=ids["<|im_end|>"],
            pad_token_id=ids["<|endoftext|>"],
            tie_word_embeddings=False,
        )
        config = InternVLConfig(
            vision_config=vision,
            text_config=text,
            image_token_id=self.image_token,
            image_seq_length=ROWS,
            tie_word_embeddings=False,
        )
        model = InternVLForConditionalGeneration(config)
        reseed(model, self.seed, quiet=[ids[token] for token in SPECIALS if token != "<|im_end|>"])
        with torch.no_grad():
            model.get_output_embeddings().weight[self.eos] *= 1.6  # some answers end by themselves
        model.generation_config.update(
            bos_token_id=ids["<|im_start|>"], eos_token_id=ids["<|im_end|>"], pad_token_id=ids["<|endoftext|>"]
        )
        size = {"height": TILE, "width": TILE}
        processor = InternVLProcessor(
            # As on the hub: the file says no, and the processor asks for tiles all the same
            GotOcr2ImageProcessorPil(size=size, crop_to_patches=False, min_patches=1, max_patches=6),
            tokenizer_from(tok, eos_token="<|im_end|>", pad_token="<|endoftext|>", extra_special_tokens=NAMES),
            InternVLVideoProcessor(size=size),
            image_seq_length=ROWS,
            chat_template=TEMPLATE,
        )
        return model, processor

    def process(self, prompt, images):
        return self.processor(text=[prompt], images=images or None, return_tensors="pt")

    def write_onnx(self, folder):
        m = self.model
        export(
            Features(m),
            (torch.zeros(3, 3, TILE, TILE),),
            folder / "onnx/vision_encoder.onnx",
            ["pixel_values"],
            {"pixel_values": {0: "num_frames"}, "image_features": {0: "num_frames"}},
        )
        write_embed(folder / "onnx/embed_tokens.onnx", array(m.get_input_embeddings().weight))
        decoder = llama_like(m.model.language_model, m.lm_head, m.config.text_config)
        write_decoder(folder / "onnx/decoder_model_merged.onnx", decoder)


class InternVlQwen3(InternVl):
    """As the newer checkpoints: queries and keys have a norm of their own, heads a width of their own, products no bias."""

    name = "internvl-qwen3"
    seed = 11

    def text_config(self, **sizes):
        return Qwen3Config(head_dim=32, **sizes)


if __name__ == "__main__":
    InternVl().main()
    InternVlQwen3().main()

"""Idefics3: tiles and a global view, SigLIP tower, pixel shuffle, one linear layer, LLaMA 3 text.

Template and tokenizer both write `<|begin_of_text|>`; a processor that renders and tokenizes gives it once.
"""

import numpy as np
import torch
from tokenizers import processors
from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor, LlamaConfig
from transformers.models.idefics3.configuration_idefics3 import Idefics3VisionConfig
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

from decoder_graph import array, llama_like, write_decoder, write_embed
from family import Family, digest, tokenizer_from
from tokenizers_small import byte_level_bpe
from weights import export, reseed

TEMPLATE = (
    "<|begin_of_text|>{% for message in messages %}{{ message['role'].capitalize() }}"
    "{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{ line['text'] }}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
BEGIN, END, PAD = "<|begin_of_text|>", "<end_of_utterance>", "<|finetune_right_pad_id|>"
PLACES = [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
SPECIALS = [BEGIN, PAD, "<fake_token_around_image>", "<image>", END, "<global-img>", *PLACES]
TILE, PATCH, SHUFFLE = 56, 7, 2


class Features(torch.nn.Module):
    """Frames of one or more pictures [1,N,3,56,56] -> [N,16,H]. Frames are whole, so each patch has its own position."""

    def __init__(self, model):
        super().__init__()
        self.vision, self.connector = model.model.vision_model, model.model.connector

    def forward(self, pixel_values):
        embeddings = self.vision.embeddings
        patches = embeddings.patch_embedding(pixel_values.flatten(0, 1)).flatten(2).transpose(1, 2)
        rows = self.vision.encoder(patches + embeddings.position_embedding.weight).last_hidden_state
        return self.connector(self.vision.post_layernorm(rows))


class Idefics3(Family):
    name = "idefics3"
    seed = 12

    def make(self):
        tok = byte_level_bpe(560, added=SPECIALS)
        tok.normalizer = None
        ids = {token: tok.token_to_id(token) for token in SPECIALS}
        tok.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, ids[BEGIN])])
        self.image_token, self.eos = ids["<image>"], [ids[END]]
        special = {"bos_token_id": ids[BEGIN], "eos_token_id": ids[END], "pad_token_id": ids[PAD]}
        vision = Idefics3VisionConfig(
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=TILE,
            patch_size=PATCH,
        )
        text = LlamaConfig(
            vocab_size=tok.get_vocab_size(),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=4096,
            rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
            tie_word_embeddings=False,
            **special,
        )
        config = Idefics3Config(
            vision_config=vision,
            text_config=text,
            image_token_id=self.image_token,
            scale_factor=SHUFFLE,
            pad_token_id=ids[PAD],
            tie_word_embeddings=False,
        )
        model = Idefics3ForConditionalGeneration(config)
        reseed(model, self.seed, quiet=[ids[token] for token in SPECIALS if token != END])
        with torch.no_grad():
            model.get_output_embeddings().weight[self.eos] *= 1.6  # some answers end by themselves
        model.generation_config.update(**special)
        processor = Idefics3Processor(
            Idefics3ImageProcessorPil(size={"longest_edge": 3 * TILE}, max_image_size={"longest_edge": TILE}),
            tokenizer_from(tok, bos_token=BEGIN, eos_token=END, pad_token=PAD),
            image_seq_len=(TILE // PATCH // SHUFFLE) ** 2,
            chat_template=TEMPLATE,
        )
        return model, processor

    def process(self, prompt, images):
        """As `apply_chat_template(tokenize=True)`, which leaves the tokenizer's `<|begin_of_text|>` out."""
        pictures = [images] if images else None
        return self.processor(text=[prompt], images=pictures, return_tensors="pt", add_special_tokens=False)

    def extras(self, inputs):
        mask = inputs.get("pixel_attention_mask")
        return {} if mask is None else {"pixel_attention_mask": digest(mask, np.int64)}

    def torch_features(self, inputs):
        out = self.model.get_image_features(inputs["pixel_values"], inputs["pixel_attention_mask"])
        return torch.cat(list(out.pooler_output))

    def write_onnx(self, folder):
        m = self.model
        export(
            Features(m),
            (torch.zeros(1, 3, 3, TILE, TILE),),
            folder / "onnx/vision_encoder.onnx",
            ["pixel_values"],
            {"pixel_values": {0: "batch_size", 1: "num_frames"}, "image_features": {0: "num_frames"}},
        )
        write_embed(folder / "onnx/embed_tokens.onnx", array(m.get_input_embeddings().weight))
        decoder = llama_like(m.model.text_model, m.lm_head, m.config.text_config)
        write_decoder(folder / "onnx/decoder_model_merged.onnx", decoder)


if __name__ == "__main__":
    Idefics3().main()

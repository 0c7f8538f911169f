"""PaliGemma: SigLIP tower, one linear projector, Gemma text (scaled embeddings, norms of 1 + weight, one key head) that reads
pictures and prompt in both directions (prefix attention) and counts positions from 1."""

import numpy as np
import torch
from transformers import GemmaConfig, PaliGemmaConfig, PaliGemmaForConditionalGeneration, PaliGemmaProcessor, SiglipVisionConfig
from transformers.models.paligemma import processing_paligemma
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from decoder_graph import array, llama_like, write_decoder, write_embed
from family import Family, read_json, tokenizer_from, write_json
from questions import ask, named, single_turns
from tokenizers_small import gemma_bpe
from weights import export, reseed

SIZE, PATCH = 56, 14

# The real list has 1024 and 128 of them: most of so small a model
processing_paligemma.EXTRA_TOKENS = ["<loc0000>", "<loc0512>", "<loc1023>", "<seg000>", "<seg127>"]


class Features(torch.nn.Module):
    """pixel_values [N,3,56,56] -> rows [N,16,H]"""

    def __init__(self, model):
        super().__init__()
        self.tower, self.projector = model.model.vision_tower, model.model.multi_modal_projector

    def forward(self, pixel_values):
        return self.projector(self.tower(pixel_values).last_hidden_state)


class PaliGemma(Family):
    name = "paligemma"
    seed = 45
    first_position = 1

    def chats(self, n):
        """One turn, never without a picture: upstream's processor refuses everything else."""
        return named(
            [
                *single_turns(n),
                ("caption", [ask(n[13], "caption en")]),
                ("detect", [ask(n[12], "detect small circle ; cat")]),
                ("spaces", [ask(n[11], "  two  spaces,\tthen {tag}? ")]),
                ("newlines", [ask(n[10], "Read\nthe\n\ntext.\n")]),
                ("three", [ask(n[0], n[3], n[8], "Say it in one word.")]),
                ("no-words", [ask(n[9], "")]),
            ]
        )

    def prompt(self, messages):
        """There is no template upstream: a mark for each picture, then what the user wrote."""
        [message] = messages
        marks = "".join("<image>" for part in message["content"] if part["type"] == "image")
        return marks + " ".join(part["text"] for part in message["content"] if part["type"] == "text")

    def make(self):
        tok = gemma_bpe(560, added=["<image>"])
        image = SiglipImageProcessorPil(size={"height": SIZE, "width": SIZE})
        image.image_seq_length = (SIZE // PATCH) ** 2
        tokenizer = tokenizer_from(tok, bos_token="<bos>", eos_token="<eos>", unk_token="<unk>", pad_token="<pad>")
        processor = PaliGemmaProcessor(image_processor=image, tokenizer=tokenizer)
        self.image_token, self.eos = tok.token_to_id("<image>"), [1]
        vision = SiglipVisionConfig(
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=SIZE,
            patch_size=PATCH,
            vision_use_head=False,
        )
        text = GemmaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=1,
            head_dim=24,
            max_position_embeddings=1024,
            pad_token_id=0,
            eos_token_id=1,
            bos_token_id=2,
        )
        config = PaliGemmaConfig(
            vision_config=vision,
            text_config=text,
            image_token_index=self.image_token,
            vocab_size=text.vocab_size,
            projection_dim=64,
            hidden_size=64,
        )
        model = PaliGemmaForConditionalGeneration(config)
        reseed(model, self.seed, embed=0.2, quiet=[0, 2, 3, self.image_token], overrides=[("o_proj", 5), ("down_proj", 5)])
        model.generation_config.update(bos_token_id=2, eos_token_id=1, pad_token_id=0)
        return model, processor

    def write_template(self, folder):
        """None, as on the hub: publishing adds one."""

    def finish(self, folder):
        """The tokenizer adds <bos>, as on the hub: upstream's processor switches that off."""
        data = read_json(folder / "tokenizer.json")
        begin = {"SpecialToken": {"id": "<bos>", "type_id": 0}}
        data["post_processor"] |= {
            "single": [begin, *data["post_processor"]["single"]],
            "special_tokens": {"<bos>": {"id": "<bos>", "ids": [2], "tokens": ["<bos>"]}},
        }
        write_json(folder / "tokenizer.json", data)

    def write_onnx(self, folder):
        m = self.model
        export(
            Features(m),
            (torch.zeros(2, 3, SIZE, SIZE),),
            folder / "onnx/vision_encoder.onnx",
            ["pixel_values"],
            {"pixel_values": {0: "num_images"}, "image_features": {0: "num_images"}},
        )
        embed = m.get_input_embeddings()
        write_embed(folder / "onnx/embed_tokens.onnx", array(embed.weight) * np.float32(embed.embed_scale))
        decoder = llama_like(m.model.language_model, m.lm_head, m.config.text_config, activation="gelu_tanh", causal=False)
        decoder.final_norm = decoder.final_norm + 1
        for layer in decoder.layers:
            layer["norm1"], layer["norm2"] = layer["norm1"] + 1, layer["norm2"] + 1
        write_decoder(folder / "onnx/decoder_model_merged.onnx", decoder)


if __name__ == "__main__":
    PaliGemma().main()

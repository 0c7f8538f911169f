"""BLIP-2: ViT, Q-Former that queries the picture and reads no text, linear projection, OPT.

The query tokens stand before the token that begins the text. An answer ends with a newline, as OPT's do in BLIP-2.
"""

import torch
from tokenizers import pre_tokenizers, processors
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    Blip2QFormerConfig,
    Blip2VisionConfig,
    OPTConfig,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from decoder_graph import array, write_embed
from family import Family, greedy, tokenizer_from
from opt import write_opt_decoder
from questions import chats, pictures_of
from tokenizers_small import byte_level_bpe
from weights import export, reseed

TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ 'Question: ' }}"
    "{% elif message['role'] == 'assistant' %}{{ 'Answer: ' }}{% endif %}"
    "{% if message['content'] is string %}{{ message['content'] + ' ' }}{% else %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] + ' ' }}{% endfor %}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Answer:' }}{% endif %}"
)
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<image>"]
SIDE, QUERIES = 112, 8


class Features(torch.nn.Module):
    """Pictures [N,3,112,112] -> [N,8,H]"""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model.get_image_features(pixel_values).pooler_output


class Blip2(Family):
    name = "blip-2"
    seed = 11

    def make(self):
        tok = byte_level_bpe(560, added=SPECIALS)
        tok.normalizer, tok.pre_tokenizer = None, pre_tokenizers.ByteLevel(add_prefix_space=False)
        ids = {token: tok.token_to_id(token) for token in [*SPECIALS, "Ċ"]}
        self.image_token, self.eos = ids["<image>"], [ids["Ċ"]]
        begin = [("</s>", ids["</s>"])]
        tok.post_processor = processors.TemplateProcessing(single="</s> $A", special_tokens=begin)
        vision = Blip2VisionConfig(
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=SIDE,
            patch_size=14,
            qkv_bias=True,
        )
        qformer = Blip2QFormerConfig(
            vocab_size=tok.get_vocab_size(),
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            cross_attention_frequency=2,
            encoder_hidden_size=48,
        )
        special = {"bos_token_id": ids["</s>"], "eos_token_id": ids["Ċ"], "pad_token_id": ids["<pad>"]}
        text = OPTConfig(
            vocab_size=tok.get_vocab_size(),
            hidden_size=64,
            ffn_dim=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=256,
            tie_word_embeddings=False,
            **special,
        )
        config = Blip2Config(
            vision_config=vision.to_dict(),
            qformer_config=qformer.to_dict(),
            text_config=text.to_dict(),
            num_query_tokens=QUERIES,
            image_token_index=self.image_token,
        )
        model = Blip2ForConditionalGeneration(config)
        quiet = [ids[token] for token in SPECIALS]
        reseed(model, self.seed, quiet=quiet, overrides=[("language_projection", 1.5)])
        with torch.no_grad():
            model.get_output_embeddings().weight[self.eos] *= 1.6  # some answers end by themselves
        for generation in (model.generation_config, model.language_model.generation_config):
            generation.update(**special)
        processor = Blip2Processor(
            BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}),
            tokenizer_from(tok, bos_token="</s>", eos_token="</s>", unk_token="</s>", pad_token="<pad>"),
            num_query_tokens=QUERIES,
        )
        return model, processor

    def chats(self, names):
        """The processor takes one picture a prompt: of several the last stays."""
        out = chats(names)
        for chat in out:
            extra = pictures_of(chat["messages"])[:-1]
            for message in chat["messages"]:
                message["content"] = [part for part in message["content"] if not taken(part, extra)]
        return out

    def prompt(self, messages):
        return self.processor.tokenizer.apply_chat_template(
            messages, chat_template=TEMPLATE, tokenize=False, add_generation_prompt=True
        )

    def write_template(self, folder):
        """None: repositories of this family bring none, and `fovea import` gives the same as TEMPLATE."""

    def process(self, prompt, images):
        return self.processor(text=[prompt], images=images or None, return_tensors="pt")

    def generate(self, inputs):
        """The class's own `generate` wants a picture."""
        return greedy(self.model if "pixel_values" in inputs else self.model.language_model, inputs)

    def write_onnx(self, folder):
        m = self.model
        export(
            Features(m),
            (torch.zeros(2, 3, SIDE, SIDE),),
            folder / "onnx/vision_encoder.onnx",
            ["pixel_values"],
            {"pixel_values": {0: "num_images"}, "image_features": {0: "num_images"}},
        )
        write_embed(folder / "onnx/embed_tokens.onnx", array(m.get_input_embeddings().weight))
        write_opt_decoder(folder / "onnx/decoder_model_merged.onnx", m.language_model)


def taken(part, extra):
    """Whether this is the next picture to leave out."""
    if part["type"] != "image" or not extra:
        return False
    extra.pop(0)
    return True


if __name__ == "__main__":
    Blip2().main()

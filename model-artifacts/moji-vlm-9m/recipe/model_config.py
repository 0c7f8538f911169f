"""config.json and its siblings, under the names that transformers reads."""

import json

from dimensions import (
    CELL,
    HEAD_DIM,
    IMAGE_SIZE,
    NUM_IMAGE_TOKENS,
    PATCH_SIZE,
    RMS_EPS,
    ROPE_THETA,
    SHUFFLE,
    TEXT_FFN,
    TEXT_HEADS,
    TEXT_KV_HEADS,
    TEXT_LAYERS,
    TEXT_WIDTH,
    VISION_HEADS,
    VISION_LAYERS,
    VISION_WIDTH,
)
from tokenizer import END_OF_TEXT, IM_END, IM_START, IMAGE

VISION_CONFIG = {
    "model_type": "siglip_vision_model",
    "hidden_size": VISION_WIDTH,
    "num_hidden_layers": VISION_LAYERS,
    "num_attention_heads": VISION_HEADS,
    "intermediate_size": 4 * VISION_WIDTH,
    "image_size": IMAGE_SIZE,
    "patch_size": PATCH_SIZE,
    "num_channels": 3,
    "pixel_shuffle_factor": SHUFFLE,
    "hidden_act": "gelu",
}
PREPROCESSOR_CONFIG = {
    "image_processor_type": "SiglipImageProcessor",
    "processor_class": "LlavaProcessor",
    "do_convert_rgb": True,
    "do_resize": True,
    "size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE},
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "do_center_crop": False,
}
PROCESSOR_CONFIG = {
    "processor_class": "LlavaProcessor",
    "image_token": IMAGE,
    "num_additional_image_tokens": 0,
    "patch_size": CELL,
    "vision_feature_select_strategy": "full",
}


def write_configs(tokenizer, out_dir):
    ids = {
        "bos_token_id": tokenizer.special[IM_START],
        "eos_token_id": tokenizer.special[IM_END],
        "pad_token_id": tokenizer.special[END_OF_TEXT],
    }
    text_config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": tokenizer.size,
        "hidden_size": TEXT_WIDTH,
        "num_hidden_layers": TEXT_LAYERS,
        "num_attention_heads": TEXT_HEADS,
        "num_key_value_heads": TEXT_KV_HEADS,
        "head_dim": HEAD_DIM,
        "intermediate_size": TEXT_FFN,
        "hidden_act": "silu",
        "rms_norm_eps": RMS_EPS,
        "rope_theta": ROPE_THETA,
        "max_position_embeddings": 1024,
        "tie_word_embeddings": True,
        **ids,
    }
    config = {
        "architectures": ["LlavaForConditionalGeneration"],
        "model_type": "llava",
        "image_token_index": tokenizer.special[IMAGE],
        "image_seq_length": NUM_IMAGE_TOKENS,
        "projector_hidden_act": "gelu",
        "vocab_size": tokenizer.size,
        **ids,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "vision_config": VISION_CONFIG,
        "text_config": text_config,
    }
    files = {
        "config.json": config,
        "generation_config.json": {**ids, "do_sample": False, "max_new_tokens": 64},
        "preprocessor_config.json": PREPROCESSOR_CONFIG,
        "processor_config.json": PROCESSOR_CONFIG,
    }
    for name, content in files.items():
        with open(f"{out_dir}/{name}", "w") as file:
            json.dump(content, file, indent=2)

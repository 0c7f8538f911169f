"""The decoder of OPT as an ONNX graph. It has no `position_ids`: positions are learned, two beyond the count of the mask.

    inputs_embeds [B,S,H], attention_mask [B,P+S], past_key_values.N.key/value [B,K,P,D]
 -> logits [B,S,V], present.N.key/value [B,K,P+S,D]
"""

import torch

from weights import export

OFFSET = 2


class OptDecoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.decoder, self.lm_head, self.heads = model.model.decoder, model.lm_head, model.config.num_attention_heads

    def forward(self, inputs_embeds, attention_mask, *past):
        new, total = inputs_embeds.shape[1], attention_mask.shape[1]
        positions = (attention_mask.cumsum(1) * attention_mask - 1)[:, total - new :]
        order = torch.arange(total)[None] <= torch.arange(total - new, total)[:, None]
        bias = torch.where(order & attention_mask.bool()[:, None, None], 0.0, -1e9)
        x = inputs_embeds + self.decoder.embed_positions.weight[positions + OFFSET]
        presents = []
        for layer, past_key, past_value in zip(self.decoder.layers, past[::2], past[1::2]):
            attention, h = layer.self_attn, layer.self_attn_layer_norm(x)
            query = self.split(attention.q_proj(h) * attention.scaling)
            key = torch.cat([past_key, self.split(attention.k_proj(h))], 2)
            value = torch.cat([past_value, self.split(attention.v_proj(h))], 2)
            presents += [key, value]
            mixed = torch.softmax(query @ key.transpose(2, 3) + bias, -1) @ value
            x = x + attention.out_proj(mixed.transpose(1, 2).flatten(2))
            x = x + layer.fc2(layer.activation_fn(layer.fc1(layer.final_layer_norm(x))))
        return self.lm_head(self.decoder.final_layer_norm(x)), *presents

    def split(self, rows):
        return rows.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def write_opt_decoder(path, model):
    c = model.config
    names = [f"{layer}.{kind}" for layer in range(c.num_hidden_layers) for kind in ("key", "value")]
    past = [torch.zeros(2, c.num_attention_heads, 3, c.hidden_size // c.num_attention_heads) for _ in names]
    dynamic = {name: {0: "batch_size", 1: "sequence_length"} for name in ("inputs_embeds", "logits")}
    dynamic["attention_mask"] = {0: "batch_size", 1: "total_sequence_length"}
    dynamic |= {f"past_key_values.{name}": {0: "batch_size", 2: "past_sequence_length"} for name in names}
    dynamic |= {f"present.{name}": {0: "batch_size", 2: "total_sequence_length"} for name in names}
    export(
        OptDecoder(model),
        (torch.zeros(2, 5, c.hidden_size), torch.ones(2, 8, dtype=torch.long), *past),
        path,
        ["inputs_embeds", "attention_mask", *(f"past_key_values.{name}" for name in names)],
        dynamic,
        ["logits", *(f"present.{name}" for name in names)],
    )

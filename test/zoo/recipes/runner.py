"""The whole way of one request in onnxruntime: image features, merge at the image tokens, decoder with a cache."""

import numpy as np
import onnxruntime as ort

NEW_TOKENS = 32


class Runner:
    def __init__(self, folder, eos):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1

        def load(name):
            return ort.InferenceSession(str(folder / "onnx" / name), options, providers=["CPUExecutionProvider"])

        self.vision, self.embed = load("vision_encoder.onnx"), load("embed_tokens.onnx")
        self.decoder = load("decoder_model_merged.onnx")
        self.eos = set(eos)

    def features(self, feeds):
        names = [i.name for i in self.vision.get_inputs()]
        return self.vision.run(["image_features"], {name: np.asarray(feeds[name]) for name in names})[0]

    def run(self, input_ids, features, image_token, positions):
        """Greedy ids.

        @param features: [N,H], in the order of the image tokens; None without pictures
        @param positions: [S] or [3,S] of the prompt; new tokens go on at the largest + 1
        """
        ids = np.asarray(input_ids, np.int64)[None]
        x = self.embed.run(None, {"input_ids": ids})[0]
        if features is not None:
            where = np.nonzero(ids[0] == image_token)[0]
            assert len(where) == len(features), (len(where), features.shape)
            x[0, where] = features
        positions = np.asarray(positions, np.int64)
        position = positions[..., None, :]
        following = int(positions.max()) + 1
        past = [i for i in self.decoder.get_inputs() if i.name.startswith("past")]
        cache = {i.name: np.zeros([1, i.shape[1], 0, i.shape[3]], np.float32) for i in past}
        names = [o.name for o in self.decoder.get_outputs()]
        out, total = [], 0
        while len(out) < NEW_TOKENS:
            total += x.shape[1]
            mask = np.ones([1, total], np.int64)
            feeds = {"inputs_embeds": x, "attention_mask": mask, "position_ids": position, **cache}
            given = {i.name: feeds[i.name] for i in self.decoder.get_inputs()}
            result = dict(zip(names, self.decoder.run(None, given)))
            cache = {name: result[name.replace("past_key_values", "present")] for name in cache}
            out.append(int(result["logits"][0, -1].argmax()))
            if out[-1] in self.eos:
                break
            x = self.embed.run(None, {"input_ids": np.array([[out[-1]]], np.int64)})[0]
            position = np.full((*position.shape[:-1], 1), following, np.int64)
            following += 1
        return out

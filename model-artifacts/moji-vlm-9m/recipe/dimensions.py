"""Sizes of the network, under one name each. Everything else derives from them."""

IMAGE_SIZE = 224  # pixels
PATCH_SIZE = 14  # pixels
GRID = IMAGE_SIZE // PATCH_SIZE  # 16 x 16 patches
SHUFFLE = 4  # 4 x 4 neighbouring patches make one visual token
CELL = PATCH_SIZE * SHUFFLE  # 56 pixels: what one visual token covers
NUM_IMAGE_TOKENS = (GRID // SHUFFLE) ** 2  # 16

VISION_WIDTH = 192
VISION_LAYERS = 6
VISION_HEADS = 3
PROJECTOR_WIDTH = 384

TEXT_WIDTH = 256
TEXT_LAYERS = 6
TEXT_HEADS = 4
TEXT_KV_HEADS = 2
TEXT_FFN = 688  # SwiGLU width
HEAD_DIM = TEXT_WIDTH // TEXT_HEADS
RMS_EPS = 1e-5
ROPE_THETA = 10000.0

VOCAB_SIZE = 2048

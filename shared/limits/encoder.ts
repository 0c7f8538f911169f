/** Bounds of the encoder compiler and of the programs that the encoder runtime accepts. */

/**
 * A graph with its external data: a program has at least a byte for each weight, at most eight bytes before, and all of it fits
 * 120 MiB; beyond: left to onnxruntime-web unread.
 */
export const MAX_COMPILED_GRAPH_BYTES = 1 << 30;

/** Nodes of a graph; SigLIP-B has about 1,500 when all is decomposed; beyond: refused while reading. */
export const MAX_GRAPH_NODES = 65_536;

/** Dimensions of a tensor: attention has four, tiles of pictures five; beyond: refused while reading. */
export const MAX_TENSOR_RANK = 8;

/** Elements of a tensor that is made while constants are folded; the largest weight of a 400 M encoder has 5 M; beyond: refused. */
export const MAX_FOLDED_ELEMENTS = 1 << 26;

/** Weights and arena of a program: an isolate has 128 MB in all, and the rest of the Worker lives in it too; beyond: refused before a byte is read. */
export const MAX_ENCODER_MEMORY_BYTES = 120 * 1024 * 1024;

/** A program file: SigLIP-B needs 15 KiB; beyond: refused unread. */
export const MAX_PROGRAM_BYTES = 1 << 20;

/** Keys of one attention: what keeps its 32-bit sums exact; beyond: the graph is left to onnxruntime-web. */
export const MAX_ATTENTION_KEYS = 65_536;

/** Pictures or tiles of one call to the encoder; each runs alone, so this bounds time; beyond: 400. */
export const MAX_ENCODER_TILES = 64;

"""The Rust `tokenizers` on the bench's texts: rust.py TOKENIZER_JSON INPUTS_JSON prints figures as contender.ts does."""
import json
import resource
import sys
import time

from tokenizers import Tokenizer


def timed(run, at_least):
    best, end, count = float("inf"), time.perf_counter() + at_least, 0
    while count < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best, count = min(best, time.perf_counter() - start), count + 1
    return best * 1000


inputs = json.load(open(sys.argv[2]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
tokenizer = Tokenizer.from_file(sys.argv[1])
load = (time.perf_counter() - start) * 1000
heap = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
timed(lambda: tokenizer.encode(inputs["long"]), 0.5)
long = timed(lambda: tokenizer.encode(inputs["long"]), 1.5)
short = timed(lambda: [tokenizer.encode(text) for text in inputs["short"]], 1)
ratio, ratio_of, worst, worst_of = 0, "", 0, ""
for name, (small, large) in inputs["adversarial"].items():
    a = timed(lambda: tokenizer.encode(small), 0.06)
    b = timed(lambda: tokenizer.encode(large), 0.06)
    if b / a > ratio:
        ratio, ratio_of = b / a, name
    if b > worst:
        worst, worst_of = b, name
size = lambda texts: sum(len(text.encode()) for text in texts)
print(json.dumps({
    "load": load, "heap": heap, "long": size([inputs["long"]]) / 1000 / long, "short": size(inputs["short"]) / 1000 / short,
    "ratio": ratio, "ratioOf": ratio_of, "worst": worst, "worstOf": worst_of, "tokens": len(tokenizer.encode(inputs["long"]).ids),
}))

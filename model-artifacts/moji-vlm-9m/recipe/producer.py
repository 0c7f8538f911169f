"""Makes batches in a thread, ahead of the training step: numpy and Pillow mostly release the interpreter lock."""

import queue
import threading
import time

import numpy as np


class Producer:
    """Calls make(rng) for ever and keeps up to `ahead` results. Each run draws other scenes."""

    def __init__(self, make, ahead):
        self._make, self._queue, self._stopped = make, queue.Queue(ahead), False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        rng = np.random.default_rng(int(time.time()))
        while not self._stopped:
            self._queue.put(self._make(rng))

    def next(self):
        return self._queue.get()

    def stop(self):
        self._stopped = True

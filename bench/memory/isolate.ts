/** Heap of one Worker, read through workerd's inspector (Chrome DevTools Protocol, Runtime.getHeapUsage). */
export class IsolateProbe {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: HeapUsage) => void>();
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Largest JavaScript heap seen: objects and array buffers, without wasm memories. */
  peakBytes = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id?: number; result?: HeapUsage };
      if (id === undefined || result === undefined) return;
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  static async open(inspectorPort: number, worker: string): Promise<IsolateProbe> {
    const socket = new WebSocket(`ws://127.0.0.1:${inspectorPort}/core:user:${worker}`);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error(`no inspector for ${worker}`)));
    });
    return new IsolateProbe(socket);
  }

  /** JavaScript heap now, bytes. */
  async heapBytes(): Promise<number> {
    const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await this.#usage();
    return usedSize + embedderHeapUsedSize + backingStorageSize;
  }

  /** Samples until `close`; workerd answers between two turns of the event loop. */
  watch(everyMs: number): void {
    this.#timer = setInterval(() => {
      void this.heapBytes().then((bytes) => (this.peakBytes = Math.max(this.peakBytes, bytes)));
    }, everyMs);
  }

  /** Collects garbage now, as V8 does when memory runs short. */
  async collect(): Promise<void> {
    await this.#call("HeapProfiler.collectGarbage");
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #usage(): Promise<HeapUsage> {
    return this.#call("Runtime.getHeapUsage");
  }

  #call(method: string): Promise<HeapUsage> {
    const id = ++this.#next;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method }));
    });
  }
}

interface HeapUsage {
  readonly usedSize: number;
  readonly embedderHeapUsedSize?: number;
  readonly backingStorageSize?: number;
}

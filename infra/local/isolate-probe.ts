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
      const { id, result, error } = JSON.parse(String(data)) as { id?: number; result?: HeapUsage; error?: object };
      if (id === undefined) return;
      if (error !== undefined) console.error(`workerd's inspector: ${JSON.stringify(error)}`);
      this.#waiting.get(id)?.(result ?? { usedSize: 0 });
      this.#waiting.delete(id);
    });
  }

  /** `service`: as the configuration of workerd names the Worker, where it was not miniflare that wrote it. */
  static async open(inspectorPort: number, worker: string, service = `core:user:${worker}`): Promise<IsolateProbe> {
    const socket = new WebSocket(`ws://127.0.0.1:${inspectorPort}/${service}`);
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

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #usage(): Promise<HeapUsage> {
    const id = ++this.#next;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method: "Runtime.getHeapUsage" }));
    });
  }
}

interface HeapUsage {
  readonly usedSize: number;
  readonly embedderHeapUsedSize?: number;
  readonly backingStorageSize?: number;
}

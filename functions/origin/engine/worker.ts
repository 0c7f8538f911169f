import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { openBackbone } from "../backbones/open.ts";
import { Engine } from "./engine.ts";
import type { EngineReport, EngineThreadData, FromEngine, ToEngine } from "./messages.ts";
import { grammarOf, type AnswerGrammar } from "../grammar/answer-grammar.ts";
import { MaskThread } from "../grammar/mask-thread.ts";
import type { GrammarProcessor } from "../grammar/processor.ts";
import type { EngineEvent, GenerateRequest } from "./request.ts";
import { warmUp } from "./warm-up.ts";

/**
 * The engine's own thread. onnxruntime-node computes inside the event loop that calls it, so the thread that answers
 * health checks must not be the one that runs the model.
 */
const port = parentPort;
if (port === null) throw new Error("engine/worker.ts runs in a worker thread");

const { backbone: source, settings, tokenizer } = workerData as EngineThreadData;
const backbone = await openBackbone(source);
await warmUp(backbone);
let events: EngineEvent[] = [];
const engine = new Engine({ backbone, settings, emit: (event) => events.push(event) });
const { vocabSize, eosTokenIds } = backbone.spec;
const masks = tokenizer === null ? null : new MaskThread({ tokenizer, vocabSize, stopTokenIds: eosTokenIds });
let closing = false;
let wake: (() => void) | null = null;

function send(message: FromEngine): void {
  port?.postMessage(message);
}

function receive(message: ToEngine): void {
  switch (message.type) {
    case "submit":
      submit(message.request);
      break;
    case "cancel":
      compiling.delete(message.id);
      engine.cancel(message.id);
      break;
    case "report":
      send({ type: "report", report: report() });
      break;
    case "close":
      closing = true;
      break;
  }
}

/** Requests whose grammar is being compiled: they are not in the engine yet, and may leave meanwhile. */
const compiling = new Set<string>();

function submit(request: GenerateRequest): void {
  const grammar = grammarOf(request.sampling);
  if (grammar === null) {
    engine.submit(request);
    return;
  }
  compiling.add(request.id);
  void follow(grammar, request.sampling.n).then(
    (processors) => {
      if (compiling.delete(request.id)) engine.submit(request, processors);
      else for (const processor of processors) processor.dispose();
      return wake?.();
    },
    () => {
      if (!compiling.delete(request.id)) return;
      const message = "The answer could not be held to its grammar.";
      send({ type: "events", events: [{ type: "error", id: request.id, code: "internal_error", message }] });
    },
  );
}

/** One mask per choice. The thread is started when the first grammar comes: most processes never need it. */
async function follow(grammar: AnswerGrammar, n: number): Promise<GrammarProcessor[]> {
  if (masks === null) throw new Error("The release has no tokenizer here.");
  return Promise.all(Array.from({ length: n }, () => masks.open(grammar)));
}

function report(): EngineReport {
  const { stats, budget, prefixes } = engine;
  return {
    waiting: engine.waiting,
    running: engine.running,
    blocks: { total: budget.total, reserved: budget.reserved, cached: budget.cached },
    prefix: { lookups: prefixes.lookups, hits: prefixes.hits },
    stats,
  };
}

/** One message a step: what was emitted reaches the other thread before the next call blocks this one. */
function flush(): void {
  if (events.length === 0) return;
  send({ type: "events", events });
  events = [];
}

port.on("message", (message: ToEngine) => {
  receive(message);
  flush();
  wake?.();
});
send({ type: "ready", spec: backbone.spec, provider: backbone.provider, longest: engine.longest });

while (!closing) {
  // Messages that came while the model ran, without waiting for the event loop's turn: a cancel counts at this step.
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    receive(next.message as ToEngine);
  }
  flush();
  // A close that was among them must not be waited for a second time.
  if (closing) break;
  if (engine.idle) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    wake = null;
    continue;
  }
  await engine.step();
  flush();
}
await masks?.close();
await backbone.dispose();
port.close();

import { Environment, Interpreter, Template } from "@huggingface/jinja";
import { FoveaError } from "../errors/error.ts";
import { ControlTokens } from "./control-tokens.ts";
import { markUserText } from "./marks.ts";
import {
  MAX_MESSAGE_DEPTH,
  MAX_PROMPT_CHARS,
  MAX_TEMPLATE_CHARS,
  MAX_TEMPLATE_RANGE,
  MAX_TEMPLATE_STEPS,
} from "./limits.ts";
import { PromptText } from "./prompt-text.ts";

export type ChatRole = "system" | "developer" | "user" | "assistant" | "tool";

export type ChatContentPart = { readonly type: "text"; readonly text: string } | { readonly type: "image" };

/** One message as a template sees it. What else a message has (`tool_calls`, `name`) is handed on, marked as user text. */
export interface ChatMessage {
  readonly role: ChatRole;
  readonly content: string | readonly ChatContentPart[] | null;
  readonly [field: string]: unknown;
}

export interface ChatTemplateOptions {
  readonly bosToken?: string | undefined;
  readonly eosToken?: string | undefined;
  readonly padToken?: string | undefined;
  readonly unkToken?: string | undefined;
  /** `Tokenizer.controlTokens`: what no user text may make. */
  readonly controlTokens: readonly string[];
}

export interface RenderOptions {
  readonly addGenerationPrompt: boolean;
  readonly tools?: readonly unknown[] | undefined;
}

const ROLES: ReadonlySet<string> = new Set(["system", "developer", "user", "assistant", "tool"]);

/**
 * A chat template of a release: upstream Jinja, parsed once. It never comes from a client. Its text is trusted, the texts
 * of messages and tools are not: see `markUserText`.
 */
export class ChatTemplate {
  readonly #program: Template["parsed"];
  readonly #globals: Readonly<Record<string, unknown>>;
  readonly #controlTokens: ControlTokens;

  private constructor(program: Template["parsed"], options: ChatTemplateOptions) {
    this.#program = program;
    this.#controlTokens = new ControlTokens(options.controlTokens);
    this.#globals = {
      bos_token: options.bosToken ?? "",
      eos_token: options.eosToken ?? "",
      pad_token: options.padToken ?? "",
      unk_token: options.unkToken ?? "",
    };
  }

  /** Throws `release_unavailable` when the source is no template. */
  static parse(source: string, options: ChatTemplateOptions): ChatTemplate {
    if (source.length > MAX_TEMPLATE_CHARS) {
      throw new FoveaError("release_unavailable", "The chat template of this release is too long.");
    }
    try {
      return new ChatTemplate(new Template(source).parsed, options);
    } catch (cause) {
      throw new FoveaError("release_unavailable", "The chat template of this release cannot be parsed.", { cause });
    }
  }

  /** Throws `invalid_request` when the template refuses the messages (`raise_exception`) or needs too many steps. */
  render(messages: readonly ChatMessage[], options: RenderOptions): PromptText {
    for (const { role } of messages) {
      if (!ROLES.has(role))
        throw new FoveaError("invalid_request", "A message has an unknown role.", { param: "messages" });
    }
    const environment = new Environment();
    for (const [name, value] of Object.entries(GLOBALS)) environment.set(name, value);
    for (const [name, value] of Object.entries(this.#globals)) environment.set(name, value);
    environment.set(
      "messages",
      messages.map((message) => this.#mark(message)),
    );
    environment.set("add_generation_prompt", options.addGenerationPrompt);
    if (options.tools !== undefined) environment.set("tools", this.#mark(options.tools));
    const marked = run(new BudgetedInterpreter(environment), this.#program);
    if (marked.length > MAX_PROMPT_CHARS) throw new FoveaError("context_length_exceeded", "The chat is too long.");
    return PromptText.ofMarked(marked);
  }

  /** A copy in which every string, keys included, is marked as user text. */
  #mark(value: unknown, depth = 0): unknown {
    if (depth > MAX_MESSAGE_DEPTH) {
      throw new FoveaError("invalid_request", "A message or a tool is nested too deeply.", { param: "messages" });
    }
    if (typeof value === "string") return markUserText(value, this.#controlTokens);
    if (Array.isArray(value)) return value.map((item: unknown) => this.#mark(item, depth + 1));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, field]: [string, unknown]) => [
        KEYS.has(key) ? key : markUserText(key, this.#controlTokens),
        typeof field === "string" && WORDS[key]?.has(field) === true ? field : this.#mark(field, depth + 1),
      ]),
    );
  }
}

/**
 * Keys that templates look up. They may be parts of control tokens (`image` of `<image>`), and no client chooses them. Any
 * other key is user text: some templates write the keys of a tool's arguments between angle brackets.
 */
const KEYS: ReadonlySet<string> = new Set(
  (
    "role content type text image image_url name tool_calls tool_call_id id function " +
    "arguments parameters properties required description items enum reasoning_content"
  ).split(" "),
);

/** Values of such keys that templates compare with words of their own. */
const WORDS: Readonly<Record<string, ReadonlySet<string> | undefined>> = {
  role: ROLES,
  type: new Set("text image image_url function object array string number integer boolean null".split(" ")),
};

const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: unknown): never => {
    throw new TemplateRefusal(String(message));
  },
  range: (...bounds: number[]): number[] => {
    const [start, stop, step] = bounds.length === 1 ? [0, bounds[0], 1] : [bounds[0], bounds[1], bounds[2] ?? 1];
    const count = Math.max(0, Math.ceil((stop - start) / step));
    if (!(count <= MAX_TEMPLATE_RANGE)) throw new TemplateRefusal("The chat template counts too far.");
    return Array.from({ length: count }, (_, i) => start + i * step);
  },
  strftime_now: (format: unknown): string => strftime(String(format), new Date()),
};

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"];
MONTHS.push("November", "December");

function strftime(format: string, now: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const month = MONTHS[now.getUTCMonth()];
  const fields: Readonly<Record<string, string>> = {
    Y: String(now.getUTCFullYear()),
    m: two(now.getUTCMonth() + 1),
    d: two(now.getUTCDate()),
    B: month,
    b: month.slice(0, 3),
    H: two(now.getUTCHours()),
    M: two(now.getUTCMinutes()),
    S: two(now.getUTCSeconds()),
    "%": "%",
  };
  return format.replace(/%(.)/g, (whole, field: string) => fields[field] ?? whole);
}

/** What the template says against these messages. The words are the release's, so they may reach the client. */
class TemplateRefusal extends Error {}

/** Counts every node that it evaluates, so that no template runs without end. */
class BudgetedInterpreter extends Interpreter {
  #steps = 0;

  override evaluate(...args: Parameters<Interpreter["evaluate"]>): ReturnType<Interpreter["evaluate"]> {
    if (++this.#steps > MAX_TEMPLATE_STEPS)
      throw new TemplateRefusal("The chat is too long for the model's chat template.");
    return super.evaluate(...args);
  }
}

function run(interpreter: Interpreter, program: Template["parsed"]): string {
  try {
    const { value } = interpreter.run(program);
    if (typeof value === "string") return value;
  } catch (cause) {
    if (cause instanceof TemplateRefusal)
      throw new FoveaError("invalid_request", cause.message, { param: "messages", cause });
    throw new FoveaError("invalid_request", "The model's chat template cannot render these messages.", {
      param: "messages",
      cause,
    });
  }
  throw new FoveaError("internal_error", "The chat template gave no text.");
}

import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILTIN_DIR } from "../../infra/local/builtin.ts";
import { LOCAL_CHANNEL } from "../../infra/local/publish-builtin.ts";
import { promoteRelease } from "../../infra/releases/promote-release.ts";
import { publishRelease } from "../../infra/releases/publish-release.ts";
import type { ObjectStore } from "../../infra/store/object-store.ts";

/** Tells the model of tools as Hermes does, and writes calls as Hermes does. */
const TEMPLATE = `{%- if tools %}{{ '<|im_start|>system\\nTools:' }}{% for tool in tools %}{{ '\\n' + (tool | tojson) }}{% endfor %}{{ '<|im_end|>\\n' }}{% endif %}
{%- for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}
  {%- if message.content is string %}{{ message.content }}
  {%- else %}{% for part in message.content %}{% if part.type == 'image' %}{{ '<image>' }}{% else %}{{ part.text }}{% endif %}{% endfor %}
  {%- endif %}
  {%- if message.tool_calls %}{% for call in message.tool_calls %}
    {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' + (call.function.arguments | tojson) + '}\\n</tool_call>' }}
  {%- endfor %}{% endif %}
  {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

/** Publishes a model folder with another chat template: same weights, but its prompts can hold tools. */
export async function publishWithTools(store: ObjectStore, model: string, folder = BUILTIN_DIR): Promise<void> {
  const copy = await mkdtemp(path.join(tmpdir(), "fovea-tools-"));
  try {
    await cp(folder, copy, { recursive: true, filter: (file) => !/examples|chat_template/.test(path.basename(file)) });
    const config = path.join(copy, "tokenizer_config.json");
    const values = JSON.parse(await readFile(config, "utf8")) as object;
    await writeFile(config, JSON.stringify({ ...values, chat_template: TEMPLATE }));
    await publishRelease(copy, { model, version: "1.0.0", store });
    const local = { channel: LOCAL_CHANNEL, key: null, trust: "unsigned" } as const;
    await promoteRelease({ ...local, store, model, version: "1.0.0" });
  } finally {
    await rm(copy, { recursive: true });
  }
}

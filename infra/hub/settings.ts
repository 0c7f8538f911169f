import { UsageError } from "../usage.ts";

const PUBLIC_HUB = "https://huggingface.co";

/** Where the hub is and who asks, by the variables that Hugging Face's own tools read: `HF_ENDPOINT`, `HF_TOKEN`. */
export function hubSettings(env: Readonly<Record<string, string | undefined>>): {
  readonly endpoint: URL;
  readonly token: string | undefined;
} {
  const text = env["HF_ENDPOINT"] || PUBLIC_HUB;
  const endpoint = URL.canParse(text) ? new URL(text) : null;
  if (endpoint === null || !/^https?:$/.test(endpoint.protocol))
    throw new UsageError(`HF_ENDPOINT is not a web address: ${text}`);
  return { endpoint, token: env["HF_TOKEN"]?.trim() || undefined };
}

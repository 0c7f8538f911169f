import { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";

/** In workerd the clock stands still while code runs, so this Worker only does; who asks takes the time. */
let file = new Uint8Array(0);
let tokenizer: Tokenizer | undefined;
let texts: readonly string[] = [];

export default {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const times = Number(url.searchParams.get("times") ?? "1");
    switch (url.pathname) {
      case "/file":
        file = new Uint8Array(await request.arrayBuffer());
        return new Response("ok");
      case "/load":
        for (let i = 0; i < times; i++) tokenizer = Tokenizer.load(file);
        return new Response("ok");
      case "/texts":
        texts = (await request.json()) as readonly string[];
        return new Response("ok");
      case "/encode": {
        let tokens = 0;
        for (let i = 0; i < times; i++) for (const text of texts) tokens += tokenizer?.encode(text).ids.length ?? 0;
        return new Response(String(tokens));
      }
      default:
        return new Response("ok");
    }
  },
};

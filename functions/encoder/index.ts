import { WorkerEntrypoint } from "cloudflare:workers";

/** Pixels -> projected features, in an isolate of its own. */
export default class Encoder extends WorkerEntrypoint {
  override fetch(): Response {
    return new Response(null, { status: 404 });
  }
}

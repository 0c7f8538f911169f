import type { ChatAnswer } from "./service.ts";

/** What every chunk of an answer, and the answer in one piece, begin with. */
export interface Envelope {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  /** The first half of the release digest: the same release and seed give the same answer. */
  readonly system_fingerprint: string;
}

export function envelopeOf(model: string, { digest }: ChatAnswer): Envelope {
  return {
    id: `chatcmpl-${crypto.randomUUID().replaceAll("-", "")}`,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: `fp_${digest.slice(0, 12)}`,
  };
}

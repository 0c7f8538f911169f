import type { RecordWriter } from "../format/writer.ts";
import type { SourceAddedToken } from "./source.ts";

export function writeAddedToken(token: SourceAddedToken, control: boolean, record: RecordWriter): void {
  record
    .u32(token.id)
    .string(token.content)
    .bool(token.single_word)
    .bool(token.lstrip)
    .bool(token.rstrip)
    .bool(token.normalized ?? !token.special)
    .bool(token.special)
    .bool(control);
}

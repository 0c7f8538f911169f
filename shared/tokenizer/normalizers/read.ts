import { malformed, type RecordReader } from "../format/reader.ts";
import { RegexProgram } from "../regex/vm.ts";
import { CharSet } from "../unicode/char-set.ts";
import { BertClean } from "./bert.ts";
import { lowercase, nmt, Remove, Strip } from "./case-and-space.ts";
import { FORMS, NORMALIZER, type Normalizer } from "./normalizer.ts";
import { Precompiled } from "./precompiled.ts";
import { Prepend, ReplacePattern, ReplaceString } from "./replace.ts";
import { UnicodeForm } from "./unicode-form.ts";

export function readNormalizer(record: RecordReader, characterMap: Uint8Array): Normalizer {
  switch (record.u8()) {
    case NORMALIZER.form: {
      const form = FORMS[record.u8()];
      if (form === undefined) throw malformed("a normalization form is of no known kind");
      return new UnicodeForm(form, CharSet.read(record));
    }
    case NORMALIZER.lowercase:
      return lowercase;
    case NORMALIZER.strip:
      return new Strip(record.bool(), record.bool());
    case NORMALIZER.stripAccents:
      return new Remove(CharSet.read(record));
    case NORMALIZER.replace: {
      const content = record.string();
      if (record.bool()) return new ReplacePattern(new RegexProgram(record), content);
      const pattern = record.string();
      if (pattern === "") throw malformed("a pattern is empty");
      return new ReplaceString(pattern, content);
    }
    case NORMALIZER.prepend:
      return new Prepend(record.string());
    case NORMALIZER.bert:
      return new BertClean(record.bool(), record.bool(), CharSet.read(record));
    case NORMALIZER.nmt:
      return nmt;
    case NORMALIZER.precompiled:
      return new Precompiled(characterMap);
    default:
      throw malformed("a normalizer is of no known kind");
  }
}

import { createMemoryStream, main } from "assemblyscript/asc";

const OUT = "out.wasm";

/** Compiles an AssemblyScript entry in memory. Throws with the compiler's own words. */
export async function compileAssemblyScript(entry: string, flags: readonly string[]): Promise<Uint8Array> {
  const stderr = createMemoryStream();
  let binary: Uint8Array | undefined;
  const { error } = await main(
    [
      entry,
      "--outFile",
      OUT,
      "-O3",
      "--noAssert",
      "--runtime",
      "stub",
      // Constants of the module lie below the first address that it is ever given.
      "--memoryBase",
      "64",
      // "v128 values are not supported by all embeddings": they pass between functions here, never to JavaScript.
      "--disableWarning",
      "AS112",
      ...flags,
    ],
    {
      stderr,
      writeFile: (name, contents) => {
        if (name === OUT && typeof contents !== "string") binary = contents;
      },
    },
  );
  if (error !== null || binary === undefined)
    throw new Error(`asc ${entry}: ${error?.message ?? ""}\n${stderr.toString()}`);
  return binary;
}

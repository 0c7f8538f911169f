import { spawnSync } from "node:child_process";

/** The Python that can import a module: the one that the variable names, else the system's; null when neither can. */
export function findPython(variable: string, module: string): string | null {
  const candidates = [process.env[variable] ?? "", "python3", "/usr/bin/python3"].filter((name) => name !== "");
  return candidates.find((python) => spawnSync(python, ["-c", `import ${module}`]).status === 0) ?? null;
}

import type { Histogram } from "../engine/stats.ts";

type Labels = Readonly<Record<string, string>>;

/** Writes the Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export class Exposition {
  readonly #lines: string[] = [];
  readonly #named = new Set<string>();

  counter(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#head(name, help, "counter");
    this.#sample(name, labels, value);
  }

  gauge(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#head(name, help, "gauge");
    this.#sample(name, labels, value);
  }

  histogram(name: string, help: string, { bounds, counts, sum }: Histogram, labels: Labels = {}): void {
    this.#head(name, help, "histogram");
    let below = 0;
    counts.forEach((count, index) => {
      below += count;
      this.#sample(`${name}_bucket`, { ...labels, le: String(bounds[index] ?? "+Inf") }, below);
    });
    this.#sample(`${name}_sum`, labels, sum);
    this.#sample(`${name}_count`, labels, below);
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #head(name: string, help: string, type: string): void {
    if (this.#named.has(name)) return;
    this.#named.add(name);
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  #sample(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${text.replaceAll(/["\\\n]/g, "_")}"`);
    this.#lines.push(`${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`);
  }
}

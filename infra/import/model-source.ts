import path from "node:path";

/** Where a model's files come from. Settings first: what they forbid need not be downloaded. */
export interface ModelSource {
  /** What the model is called where nobody says otherwise. */
  readonly name: string;
  /** Where from, for people: a folder, or `org/name` and its commit. */
  readonly from: string;
  /** Brings everything but graphs and weights; gives the folder, in the hub's layout. */
  configuration(): Promise<string>;
  /** Brings the graphs of a dtype (as `chooseGraphs` takes it) and their external data into the same folder. */
  weights(dtype?: string): Promise<void>;
}

/** A folder that is there already. */
export function localModel(dir: string): ModelSource {
  return {
    name: path.basename(path.resolve(dir)),
    from: dir,
    configuration: () => Promise.resolve(dir),
    weights: () => Promise.resolve(),
  };
}

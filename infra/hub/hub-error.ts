export type HubFault =
  | "bad_answer"
  | "bad_name"
  | "changed"
  | "disk"
  | "forbidden"
  | "gated"
  | "insecure"
  | "not_found"
  | "redirected"
  | "too_large"
  | "unauthorized"
  | "unavailable"
  | "wrong_hash";

/** What stopped a download, in words that say what to do. */
export class HubError extends Error {
  override readonly name = "HubError";
  readonly fault: HubFault;

  constructor(fault: HubFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** What is asked for: `org/name`, and where. */
export interface Asked {
  readonly repository: string;
  readonly endpoint: URL;
  readonly hasToken: boolean;
}

/** An answer that is no success, by its status and the hub's `x-error-code`. */
export function refusal({ status, headers }: Response, { repository, endpoint, hasToken }: Asked): HubError {
  const code = headers.get("x-error-code");
  const page = new URL(repository, endpoint).href;
  if (code === "GatedRepo") {
    return new HubError(
      "gated",
      `${repository} is gated: accept its terms at ${page}, then set HF_TOKEN to a token of that account`,
    );
  }
  if (status === 401) {
    // The hub answers 401, not 404, for what may exist in private.
    const advice = hasToken ? "HF_TOKEN is not valid, or may not read it" : "if it is private, set HF_TOKEN";
    return new HubError("unauthorized", `there is no ${repository} at ${endpoint.host} that may be read: ${advice}`);
  }
  if (status === 403) {
    return new HubError(
      "forbidden",
      `${endpoint.host} does not let ${repository} be read: set HF_TOKEN to a token that may`,
    );
  }
  if (status === 404) {
    const what =
      code === "RevisionNotFound"
        ? "no such revision of"
        : code === "EntryNotFound"
          ? "a file is missing in"
          : "no model";
    return new HubError("not_found", `${what} ${repository} at ${endpoint.host}`);
  }
  return new HubError("unavailable", `${endpoint.host} answered ${status} for ${repository}; try again later`);
}

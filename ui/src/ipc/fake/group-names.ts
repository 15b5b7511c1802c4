/** The names of groups of usage, as the core gives them. */
import type { GroupBy } from "@/ipc/bindings";

const UNNAMED: Record<GroupBy, string> = {
  backend: "No backend",
  model: "No model",
  client: "No client",
  credential: "No key",
  project: "No project",
  route: "No route",
};

/** What a group is, and its name. The requests of all further groups have the key of the rest. */
export function groupNames(key: string, isRest: boolean, by: GroupBy, backendLabel: (id: string) => string) {
  if (isRest) return { kind: "rest", key: "other", label: "Other" } as const;
  if (key === "") return { kind: "unnamed", key, label: UNNAMED[by] } as const;
  return { kind: "named", key, label: by === "backend" ? backendLabel(key) : key } as const;
}

/** The parts of Health, in the order of their tabs. */
export const HEALTH_PARTS = [
  { part: "now", label: "Now", path: "/health" },
  { part: "timeline", label: "Timeline", path: "/health/timeline" },
  { part: "levels", label: "Service levels", path: "/health/levels" },
  { part: "local", label: "Local", path: "/health/local" },
] as const;

export type HealthPart = (typeof HEALTH_PARTS)[number]["part"];

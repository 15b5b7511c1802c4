/** Services of the fake core: some that work, and in the failing world a required one that does not. */
import { observedDays } from "@/ipc/fake/observed-days";
import type { HealthView, ServiceExpectationView, ServicesView, ServiceView } from "@/ipc/bindings";
import { DAY_MS } from "@/lib/time";

const ANY: ServiceExpectationView = { method: "GET", status: null, contains: "", key_header: "", scopes: [] };

export function makeServices(scenario: string, now: number): ServiceView[] {
  if (scenario !== "busy" && scenario !== "failing") return [];
  const isFailing = scenario === "failing";
  const up = (ms: number, days: number): HealthView => ({
    state: "up",
    reason: "answers",
    since: now - days * DAY_MS,
    last_checked: now - 9_000,
    probe_ms: ms,
    last_known: null,
  });
  const down: HealthView = {
    state: "down",
    reason: "it answers with status 503, not 200",
    since: now - 17 * 60_000,
    last_checked: now - 4_000,
    probe_ms: null,
    last_known: null,
  };
  const services: Omit<ServiceView, "availability" | "strip">[] = [
    {
      id: "github",
      label: "GitHub",
      kind: "github",
      address: "https://api.github.com/",
      credential: "github",
      required: true,
      enabled: true,
      private_network: false,
      expects: { ...ANY, scopes: ["repo", "read:org"] },
      health: up(212, 6),
      account: {
        login: "octo-dev",
        scopes: ["admin:org", "repo", "workflow"],
        missing: [],
        expires_at: now + 41 * DAY_MS,
      },
    },
    {
      id: "vectors",
      label: "Vector store",
      kind: "http",
      address: "https://vectors.example.com/readyz",
      credential: "vectors",
      required: false,
      enabled: true,
      private_network: false,
      expects: { ...ANY, status: 200, contains: "ready", key_header: "api-key" },
      health: isFailing ? down : up(148, 6),
      account: null,
    },
    {
      id: "postgres",
      label: "Local database",
      kind: "postgres",
      address: "postgres://app@127.0.0.1:5432/app",
      credential: null,
      required: false,
      enabled: true,
      private_network: false,
      expects: ANY,
      health: up(1, 2),
      account: null,
    },
  ];
  return services.map((service, index) => ({ ...service, ...observedDays(service.health.state, index, now) }));
}

export function servicesView(services: ServiceView[]): ServicesView {
  const on = services.filter(({ enabled }) => enabled);
  const down = on.filter(({ health: { state } }) => state === "down").length;
  const finding =
    on.length === 0
      ? "No service is watched"
      : down === 0
        ? `All ${on.length} services work`
        : `${down} of ${on.length} services ${down === 1 ? "is" : "are"} down`;
  return { finding, services };
}

/** The fake core's operations on services. */
import type { ServiceSet, ServiceView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise, requireId, requireSecret } from "@/ipc/fake/rules";
import { observedDays } from "@/ipc/fake/observed-days";
import { servicesView } from "@/ipc/fake/service-data";
import { health } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";

function checkAddress({ kind, address }: ServiceSet): void {
  if (/169\.254\.|metadata/.test(address))
    raise(
      fault(
        "invalid_input",
        "this address is link-local, a cloud metadata service or not a host, so it is refused",
        "use another address",
        "address",
      ),
    );
  if (kind === "tcp" && !/:\d+\/?$/.test(address))
    raise(fault("invalid_input", "the address names no port", "write it like db.example.com:5432", "address"));
  if (kind === "http" && !URL.canParse(address))
    raise(
      fault("invalid_input", "this is not an address", "write it like https://status.example.com/health", "address"),
    );
}

function credentialOf({ id, key, kind }: ServiceSet, before: ServiceView | undefined): string | null {
  switch (key.kind) {
    case "keep":
      return before?.credential ?? null;
    case "none":
      return kind === "github" ? raise(fault("invalid_input", "a check of GitHub needs a token", null, "key")) : null;
    case "stored":
      return key.id;
    case "new":
      requireSecret(key.secret);
      return id;
  }
}

export function fakeServices({
  world,
  now,
  answer,
  changed,
}: Doing): Pick<Host, "services" | "serviceSet" | "serviceTest" | "serviceRemove"> {
  const known = (id: string) =>
    world.services.find((service) => service.id === id) ??
    raise(fault("not_found", `there is no service named ${id}`, null));
  return {
    services: () => answer(() => servicesView(world.services)),
    serviceSet: (req) =>
      answer(() => {
        requireId(req.id, "service");
        checkAddress(req);
        const before = world.services.find(({ id }) => id === req.id);
        const { key: _key, ...rest } = req;
        const unseen = observedDays("unknown", 0, now());
        const saved: ServiceView = {
          ...rest,
          label: req.label || req.id,
          address: req.address || "https://api.github.com/",
          credential: credentialOf(req, before),
          health: req.enabled
            ? (before?.health ?? health("unknown", "not checked yet", null, null, null))
            : health("disabled", "switched off", null, null, null),
          availability: before?.availability ?? unseen.availability,
          strip: before?.strip ?? unseen.strip,
          account: before?.account ?? null,
        };
        world.services =
          before === undefined ? [...world.services, saved] : world.services.map((it) => (it === before ? saved : it));
        changed("health", "keys", "settings", "status");
        return saved;
      }),
    serviceTest: ({ id }) =>
      answer(() => {
        const service = known(id);
        const passed = service.health.state !== "down";
        if (passed) service.health = health("up", "answers", service.health.since ?? now(), now(), 96);
        changed("health");
        const detail = passed ? "it answers" : service.health.reason;
        return {
          id,
          passed,
          sentence: passed ? "It answers." : "It answers with status 503, not 200.",
          steps: [
            {
              title: "Reach the service",
              state: passed ? "pass" : "fail",
              detail,
              fix: null,
              duration_ms: passed ? 96 : null,
            },
          ],
        };
      }),
    serviceRemove: ({ id }) =>
      answer(() => {
        const gone = known(id);
        world.services = world.services.filter((service) => service !== gone);
        changed("health", "keys", "settings", "status");
        return null;
      }),
  };
}

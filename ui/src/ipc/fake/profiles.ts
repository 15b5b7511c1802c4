/** Profiles of the fake core: sets of backends, one of which is in use at a time. */
import type { ProfilesView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import { health } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";

export function fakeProfiles({
  world,
  now,
  answer,
  changed,
}: Doing): Pick<Host, "profiles" | "profileSet" | "profileRemove" | "profileSwitch"> {
  const profiles = new Map<string, string[]>(
    world.scenario === "busy"
      ? [
          ["work", ["openai"]],
          ["home", ["groq", "openrouter"]],
        ]
      : [],
  );
  let active: string | null = null;
  const namedByAny = (id: string) => [...profiles.values()].some((named) => named.includes(id));
  const view = (): ProfilesView => ({
    active,
    profiles: [...profiles].map(([name, backends]) => ({ name, active: name === active, backends })),
    in_all: world.backends.filter(({ id, built_in: isMock }) => !isMock && !namedByAny(id)).map(({ id }) => id),
  });
  const apply = (): ProfilesView => {
    for (const backend of world.backends) {
      const isIn = active === null || !namedByAny(backend.id) || (profiles.get(active)?.includes(backend.id) ?? false);
      if (isIn === backend.in_profile) continue;
      backend.in_profile = isIn;
      backend.health = isIn
        ? health("up", "Answered the last probe.", now(), now(), 96)
        : health("disabled", `not in the profile ${active}`, now(), null, null);
    }
    changed("settings", "backends", "routes", "status");
    return view();
  };
  const known = (name: string) =>
    profiles.has(name) ? name : raise(fault("not_found", `there is no profile named ${name}`, null));
  return {
    profiles: () => answer(view),
    profileSet: (req) =>
      answer(() => {
        if (!/^[a-z0-9][a-z0-9._-]*$/.test(req.name))
          raise(fault("invalid_input", `"${req.name}" cannot name a profile.`, null, "name"));
        profiles.set(req.name, req.backends);
        return apply();
      }),
    profileRemove: (req) =>
      answer(() => {
        profiles.delete(known(req.name));
        active = active === req.name ? null : active;
        return apply();
      }),
    profileSwitch: (req) =>
      answer(() => {
        active = req.name === null ? null : known(req.name);
        return apply();
      }),
  };
}

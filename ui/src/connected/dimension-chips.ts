/** The filters by what a request belongs to, with the names that the settings know. */
import type { Chip } from "@/components/filter/filter-chips";
import { useBackends, useClients, useKeys } from "@/ipc/queries";
import { useRoutes } from "@/ipc/route-queries";
import { selects } from "@/lib/request-filter";

type KnownDimension = "backend" | "key" | "client" | "route" | "project";

export function useDimensionChips(): Chip<KnownDimension>[] {
  const backends = useBackends().data ?? [];
  const keys = useKeys().data ?? [];
  const clients = useClients().data ?? [];
  const routes = useRoutes().data?.routes ?? [];
  const choice = (
    name: KnownDimension,
    label: string,
    known: { id: string; label?: string }[] | null,
    example = "",
  ) => ({
    name,
    label,
    options: known?.map((one) => ({ value: one.id, label: one.label ?? one.id })) ?? null,
    example,
    none: selects(name, "") ? `No ${label.toLowerCase()}` : undefined,
  });
  return [
    choice("backend", "Backend", backends),
    choice("key", "Key", keys),
    choice(
      "client",
      "Client",
      clients.map(({ id }) => ({ id })),
    ),
    choice(
      "route",
      "Route",
      routes.map(({ id }) => ({ id })),
    ),
    choice("project", "Project", null, "website"),
  ];
}

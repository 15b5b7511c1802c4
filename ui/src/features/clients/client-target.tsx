/** The choice of where a client's requests go. Changes at once. */
import { currentTarget, targetKey, targetLabel, useClientSwitch } from "@/features/clients/client-actions";
import { Select } from "@/components/form/select";
import type { ClientView } from "@/ipc/bindings";

export function ClientTargetSelect({ client }: { client: ClientView }) {
  const change = useClientSwitch();
  const current = currentTarget(client);
  return (
    <Select
      aria-label={`Where requests of ${client.id} go`}
      options={client.targets.map((target) => ({ value: targetKey(target), label: targetLabel(target) }))}
      value={current === undefined ? "" : targetKey(current)}
      onChange={(chosen) => {
        const to = client.targets.find((target) => targetKey(target) === chosen);
        if (to !== undefined && !to.current) change({ id: client.id, to, before: current });
      }}
    />
  );
}

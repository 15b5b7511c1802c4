/** The menu of the profiles. */
import { Check, Circle, Settings2 } from "lucide-react";
import type { ReactNode } from "react";
import { Menu } from "@/components/menu/menu";
import { useProfileSwitch } from "@/features/settings/profile-actions";
import type { ProfilesView } from "@/ipc/bindings";

export interface ProfileMenuProps {
  profiles: ProfilesView;
  trigger: ReactNode;
  go: (path: string) => void;
}

export function ProfileMenu({ profiles: { active, profiles }, trigger, go }: ProfileMenuProps) {
  const change = useProfileSwitch();
  const entry = (label: string, name: string | null) => ({
    label,
    icon: name === active ? Check : Circle,
    onChoose: () => change({ name, before: active }),
  });
  return (
    <Menu
      label="Profile"
      trigger={trigger}
      entries={[
        ...profiles.map(({ name }) => entry(name, name)),
        entry("All backends", null),
        { label: "Edit profiles", icon: Settings2, onChoose: () => go("/settings?part=Profiles") },
      ]}
    />
  );
}

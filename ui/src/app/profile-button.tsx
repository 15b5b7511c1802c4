/** At the foot of the navigation: the profile in use, and a menu of the others. Absent without profiles. */
import { Check, Circle, Layers, Settings2 } from "lucide-react";
import { Menu } from "@/components/menu";
import { useProfiles } from "@/ipc/queries";
import { useProfileSwitch } from "@/features/settings/profile-actions";

export function ProfileButton({ go }: { go: (path: string) => void }) {
  const profiles = useProfiles().data;
  const change = useProfileSwitch();
  if (profiles === undefined || profiles.profiles.length === 0) return null;
  const { active } = profiles;
  const entry = (label: string, name: string | null) => ({
    label,
    icon: name === active ? Check : Circle,
    onChoose: () => change({ name, before: active }),
  });
  const text = active ?? "All backends";
  return (
    <Menu
      label="Profile"
      trigger={
        <button
          type="button"
          aria-label={active === null ? "Profile: none, all backends are used" : `Profile: ${active}`}
          className="flex h-8 w-full items-center gap-2.5 rounded-control px-2 text-ink-2 transition-colors duration-150 hover:bg-surface-2 hover:text-ink-1 data-[state=open]:bg-surface-2"
        >
          <Layers size={16} strokeWidth={1.5} aria-hidden className="shrink-0" />
          <span className="hidden min-w-0 truncate min-[1000px]:inline">{text}</span>
        </button>
      }
      entries={[
        ...profiles.profiles.map(({ name }) => entry(name, name)),
        entry("All backends", null),
        { label: "Edit profiles", icon: Settings2, onChoose: () => go("/settings?part=Profiles") },
      ]}
    />
  );
}

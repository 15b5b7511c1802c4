/** At the foot of the navigation: the profile in use, and a menu of the others. Absent without profiles. */
import { Layers } from "lucide-react";
import type { ProfileMenuProps } from "@/app/profile-menu";
import { lazyComponent } from "@/components/overlay/lazy";
import { useProfiles } from "@/ipc/queries";

const ProfileMenu = lazyComponent<ProfileMenuProps>(
  async () => (await import("@/app/profile-menu")).ProfileMenu,
  ({ trigger }) => trigger,
);

export function ProfileButton({ go }: { go: (path: string) => void }) {
  const profiles = useProfiles().data;
  if (profiles === undefined || profiles.profiles.length === 0) return null;
  const { active } = profiles;
  return (
    <ProfileMenu
      profiles={profiles}
      go={go}
      trigger={
        <button
          type="button"
          aria-label={active === null ? "Profile: none, all backends are used" : `Profile: ${active}`}
          className="flex h-8 w-full items-center gap-2.5 rounded-control px-2 text-ink-2 transition-colors duration-150 hover:bg-surface-2 hover:text-ink-1 data-[state=open]:bg-surface-2"
        >
          <Layers size={16} strokeWidth={1.5} aria-hidden className="shrink-0" />
          <span className="hidden min-w-0 truncate min-[1000px]:inline">{active ?? "All backends"}</span>
        </button>
      }
    />
  );
}

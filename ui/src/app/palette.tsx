/** Find or run anything, by name. */
import { Command } from "cmdk";
import { KeyRound, Link2, ListChecks, Moon, Plus, Route, Server, Sun, SunMoon, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { SCREENS } from "@/app/screens";
import { Dialog } from "@/components/dialog";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { CheckSetView, ThemeChoice } from "@/ipc/bindings";
import { useBackends, useClients, useKeys, useSettings } from "@/ipc/queries";
import { useRoutes } from "@/ipc/route-queries";

interface PaletteProps {
  open: boolean;
  onClose: () => void;
  go: (path: string) => void;
}

export function Palette({ open, onClose, go }: PaletteProps) {
  return (
    <Dialog open={open} onClose={onClose} title="Find or run" width="wide">
      <PaletteBody
        choose={(path) => {
          onClose();
          go(path);
        }}
        close={onClose}
      />
    </Dialog>
  );
}

function PaletteBody({ choose, close }: { choose: (path: string) => void; close: () => void }) {
  const backends = useBackends().data ?? [];
  const routes = useRoutes().data?.routes ?? [];
  const keys = useKeys().data ?? [];
  const clients = useClients().data ?? [];
  const settings = useSettings().data;
  const start = useAction(["readiness"], (host, set: CheckSetView) => host.readinessStart({ set }));
  const theme = useAction(["settings"], async (host, choice: ThemeChoice) => {
    if (settings) await host.settingsEdit({ ...settings.values, theme: choice });
  });
  const run = (set: CheckSetView) =>
    start.mutate(set, {
      onSuccess: () => choose("/readiness"),
      onError: (error) => notify({ tone: "bad", title: error.message, detail: error.hint }),
    });
  const paint = (choice: ThemeChoice) => {
    close();
    theme.mutate(choice, { onError: (error) => notify({ tone: "bad", title: error.message, detail: error.hint }) });
  };
  return (
    <Command label="Find or run" loop className="flex min-h-0 flex-col">
      <Command.Input
        data-autofocus
        placeholder="A screen, a backend, a key, an action…"
        className="h-11 shrink-0 border-b border-line bg-transparent px-5 text-15 text-ink-1 outline-none"
      />
      <Command.List className="min-h-0 overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-11 [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-ink-3">
        <Command.Empty className="px-3 py-6 text-center text-ink-2">Nothing of that name.</Command.Empty>
        <Command.Group heading="Screens">
          {SCREENS.map((screen) => (
            <Item key={screen.path} icon={screen.icon} onSelect={() => choose(screen.path)}>
              {screen.label}
            </Item>
          ))}
        </Command.Group>
        <Command.Group heading="Actions">
          <Item icon={ListChecks} onSelect={() => run("quick")}>
            Run quick checks
          </Item>
          <Item icon={ListChecks} onSelect={() => run("full")}>
            Run all checks
          </Item>
          <Item icon={Plus} onSelect={() => choose("/backends?add=true")}>
            Add backend
          </Item>
          <Item icon={Plus} onSelect={() => choose("/routing?add=true")}>
            Add route
          </Item>
          <Item icon={Plus} onSelect={() => choose("/keys?add=true")}>
            Add key
          </Item>
          <Item icon={Plus} onSelect={() => choose("/clients?add=true")}>
            Connect a client
          </Item>
          <Item icon={Moon} onSelect={() => paint("dark")}>
            Dark colours
          </Item>
          <Item icon={Sun} onSelect={() => paint("light")}>
            Light colours
          </Item>
          <Item icon={SunMoon} onSelect={() => paint("system")}>
            Colours of the desktop
          </Item>
        </Command.Group>
        <Places
          heading="Backends"
          icon={Server}
          ids={backends.map((backend) => backend.id)}
          onChoose={(id) => choose(`/backends/${encodeURIComponent(id)}`)}
        />
        <Places
          heading="Routes"
          icon={Route}
          ids={routes.map((route) => route.id)}
          onChoose={(id) => choose(`/routing/${encodeURIComponent(id)}`)}
        />
        <Places
          heading="Keys"
          icon={KeyRound}
          ids={keys.map((key) => key.id)}
          onChoose={(id) => choose(`/keys/${encodeURIComponent(id)}`)}
        />
        <Places
          heading="Clients"
          icon={Link2}
          ids={clients.map((client) => client.id)}
          onChoose={(id) => choose(`/clients/${encodeURIComponent(id)}`)}
        />
      </Command.List>
    </Command>
  );
}

function Places({
  heading,
  icon,
  ids,
  onChoose,
}: {
  heading: string;
  icon: LucideIcon;
  ids: string[];
  onChoose: (id: string) => void;
}) {
  if (ids.length === 0) return null;
  return (
    <Command.Group heading={heading}>
      {ids.map((id) => (
        <Item key={id} icon={icon} value={`${heading} ${id}`} onSelect={() => onChoose(id)}>
          {id}
        </Item>
      ))}
    </Command.Group>
  );
}

function Item({
  icon: Icon,
  value,
  onSelect,
  children,
}: {
  icon: LucideIcon;
  value?: string;
  onSelect: () => void;
  children: ReactNode;
}) {
  return (
    <Command.Item
      {...(value === undefined ? {} : { value })}
      onSelect={onSelect}
      className="flex h-9 items-center gap-3 rounded-control px-3 text-ink-1 data-[selected=true]:bg-surface-2"
    >
      <Icon size={16} strokeWidth={1.5} aria-hidden className="text-ink-3" />
      {children}
    </Command.Item>
  );
}

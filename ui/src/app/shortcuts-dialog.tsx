/** Lists the keyboard shortcuts. */
import { screenKey, SCREENS } from "@/app/screens";
import { COMMAND_KEY } from "@/app/shortcuts";
import { Dialog, DialogBody } from "@/components/overlay/dialog";
import { Kbd } from "@/components/text/kbd";

export function ShortcutsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const rows: [string, string[]][] = [
    ["Search or run anything", [COMMAND_KEY, "K"]],
    ...SCREENS.map((screen): [string, string[]] => [screen.label, [COMMAND_KEY, screenKey(screen)]]),
    ["Filter the list", ["/"]],
    ["Move between rows, bars and tabs", ["↑", "↓", "←", "→"]],
    ["Send the playground prompt", [COMMAND_KEY, "↵"]],
    ["Close, or stop a response", ["Esc"]],
    ["Show shortcuts", ["?"]],
  ];
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts">
      <DialogBody>
        <dl className="grid grid-cols-[1fr_auto] items-center gap-y-2.5">
          {rows.map(([name, keys]) => (
            <div key={`${name}${keys.join("")}`} className="contents">
              <dt className="text-ink-2">{name}</dt>
              <dd className="justify-self-end">
                <Kbd keys={keys} />
              </dd>
            </div>
          ))}
        </dl>
      </DialogBody>
    </Dialog>
  );
}

/** What is wrong with the vault, on the screens whose actions need it. Nothing while it works. */
import { Notice } from "@/components/notice/notice";
import { PanelLink } from "@/components/layout/panel-link";
import { useStatus } from "@/ipc/queries";
import { VAULT } from "@/lib/tables";

export function VaultNotice() {
  const vault = useStatus().data?.vault;
  if (vault === undefined || vault.state === "ready" || vault.state === "unknown") return null;
  return (
    <Notice
      tone="bad"
      title={`Vault: ${VAULT[vault.state].word.toLowerCase()}`}
      action={
        <PanelLink path="/settings?part=Vault" className="self-center text-12">
          Vault settings
        </PanelLink>
      }
    >
      {vault.hint}
    </Notice>
  );
}

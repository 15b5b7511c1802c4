/** The bottom line of every screen: the gateway's state and address, requests in flight, spend today. */
import { Hint } from "@/components/overlay/hint";
import { PanelLink } from "@/components/layout/panel-link";
import { spendText } from "@/lib/cost-sum";
import { StateBadge } from "@/components/state/state-mark";
import { copyText } from "@/components/overlay/toast";
import type { ApiError, StatusView } from "@/ipc/bindings";
import { formatCounted } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";
import { GATEWAY, VAULT, type Sign } from "@/lib/tables";

function gatewaySign(status: StatusView | undefined, error: ApiError | null): Sign {
  if (error !== null) return { word: "Not connected", shape: "barred", tone: "bad" };
  if (status === undefined) return { word: "Connecting", shape: "ring", tone: "muted" };
  const sign = GATEWAY[status.gateway.state];
  return { ...sign, word: `Gateway ${sign.word.toLowerCase()}` };
}

export function copyAddress(address: string): void {
  copyText(address, "the gateway address");
}

export function StatusLine({ status, error }: { status: StatusView | undefined; error: ApiError | null }) {
  return (
    <footer
      aria-label="Gateway"
      className="col-span-full flex h-7 items-center gap-4 overflow-hidden border-t border-line bg-surface-1 px-3 text-12 whitespace-nowrap text-ink-2"
    >
      <StateBadge sign={gatewaySign(status, error)} />
      {status && (
        <>
          <Hint text={status.gateway.reason ?? "Copy the gateway address"}>
            <button
              type="button"
              className="rounded-mark font-mono text-11 text-ink-1"
              onClick={() => copyAddress(status.gateway.address)}
              aria-label={`Copy the gateway address, ${status.gateway.address}`}
            >
              {status.gateway.address}
            </button>
          </Hint>
          <PanelLink look="none" path={requestsPath({ state: "running" })} className="rounded-mark hover:text-ink-1">
            {formatCounted(status.requests_in_flight, "request in flight", "requests in flight")}
          </PanelLink>
          <PanelLink look="none" path="/usage" className="rounded-mark hover:text-ink-1">
            {spendText(status.spend_today)} today
          </PanelLink>
          {status.vault.state !== "ready" && (
            <PanelLink look="none" path="/settings?part=Vault" className="rounded-mark">
              <StateBadge
                sign={VAULT[status.vault.state]}
                word={`Vault: ${VAULT[status.vault.state].word.toLowerCase()}`}
              />
            </PanelLink>
          )}
          <span className="ml-auto text-ink-3">Gatehouse {status.version}</span>
        </>
      )}
    </footer>
  );
}

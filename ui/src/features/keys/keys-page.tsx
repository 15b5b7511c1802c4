/** Opens the provider's page where keys are made and revoked, in the user's browser. */
import type { ReactNode } from "react";
import { ExternalLink } from "lucide-react";
import { Button } from "@/components/button/button";
import { useHost } from "@/ipc/host-context";

export function KeysPage({ url, children }: { url: string; children: ReactNode }) {
  const host = useHost();
  return (
    <Button size="small" look="quiet" icon={ExternalLink} title={url} onClick={() => void host.openUrl(url)}>
      {children}
    </Button>
  );
}

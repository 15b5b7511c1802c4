/** The sign for "we do not know what this cost", which is never zero. */
import { TriangleAlert } from "lucide-react";
import { formatCounted } from "@/lib/quantity";

export function Unpriced({ requests }: { requests?: number }) {
  return (
    <span
      className="inline-flex items-center gap-1 whitespace-nowrap text-warn"
      title="No usage or no price is known. Unknown is not zero: it is left out of every sum."
    >
      <TriangleAlert size={12} strokeWidth={1.75} aria-hidden />
      {requests === undefined ? "unpriced" : `${formatCounted(requests, "request", "requests")} unpriced`}
    </span>
  );
}

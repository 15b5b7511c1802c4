/** The newest requests as they come. A pause keeps the list as it is and counts what comes meanwhile. */
import { Pause, Play } from "lucide-react";
import { useContext, useState } from "react";
import { Button } from "@/components/button/button";
import { useRequests } from "@/ipc/queries";
import { ClockContext } from "@/lib/clock";
import { formatCounted } from "@/lib/quantity";
import type { RequestFilter } from "@/lib/request-filter";

/** Most requests counted during a pause. */
const COUNTED_MAX = 500;

export interface LiveTail {
  /** When it was paused; `null` while it runs. */
  pausedAt: number | null;
  pause: () => void;
  resume: () => void;
}

export function useLiveTail(): LiveTail {
  const clock = useContext(ClockContext);
  const [pausedAt, setPausedAt] = useState<number | null>(null);
  return { pausedAt, pause: () => setPausedAt(clock.exact()), resume: () => setPausedAt(null) };
}

export function LiveTailButton({ tail, filter }: { tail: LiveTail; filter: RequestFilter }) {
  if (tail.pausedAt === null)
    return (
      <Button icon={Pause} onClick={tail.pause}>
        Pause
      </Button>
    );
  return (
    <>
      <span className="text-12 whitespace-nowrap text-ink-2" aria-live="polite">
        Paused, <Meanwhile since={tail.pausedAt} filter={filter} />
      </span>
      <Button look="primary" icon={Play} onClick={tail.resume}>
        Resume
      </Button>
    </>
  );
}

function Meanwhile({ since, filter }: { since: number; filter: RequestFilter }) {
  const { within: _within, ...rest } = filter;
  const count = useRequests({ ...rest, since }, COUNTED_MAX).data?.pages[0]?.requests.length ?? 0;
  return count === COUNTED_MAX ? `over ${COUNTED_MAX} new` : `${formatCounted(count, "new request", "new requests")}`;
}

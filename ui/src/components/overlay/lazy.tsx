/** Components whose script is loaded when they are needed, so that the panel starts with less. */
import { RotateCw, Unplug, X } from "lucide-react";
import { useSyncExternalStore, type ComponentType, type ReactNode } from "react";
import { Button, IconButton } from "@/components/button/button";
import { EmptyState } from "@/components/notice/empty-state";
import { Notice } from "@/components/notice/notice";
import { createLoader } from "@/lib/loader";

type Load<Props> = () => Promise<ComponentType<Props>>;

/** A component that is needed as soon as it is rendered. */
export function lazyComponent<Props extends object>(
  load: Load<Props>,
  placeholder: ReactNode | ((props: Props) => ReactNode),
) {
  const loader = createLoader(load);
  function LazyComponent(props: Props) {
    const state = useSyncExternalStore(loader.follow, loader.read);
    switch (state.kind) {
      case "loaded":
        return <state.part {...props} />;
      case "failed":
        return <NotLoaded onRetry={() => void loader.load()} />;
      case "unloaded":
      case "loading":
        return typeof placeholder === "function" ? placeholder(props) : placeholder;
    }
  }
  return Object.assign(LazyComponent, { preload: loader.load });
}

/**
 * A dialog or drawer, which is needed when it is open. It is loaded ahead while nothing else is to be done, and stays
 * rendered when closed, because an action may still be under way.
 */
export function lazyOverlay<Props extends { onClose: () => void }>(
  load: Load<Props>,
  isOpen: (props: Props) => boolean,
) {
  const loader = createLoader(load);
  return function LazyOverlay(props: Props) {
    const open = isOpen(props);
    const state = useSyncExternalStore(open ? loader.follow : loader.followWhenIdle, loader.read);
    if (state.kind === "loaded") return <state.part {...props} />;
    if (!open || state.kind !== "failed") return null;
    return (
      <div className="fixed right-4 bottom-10 z-50 w-[420px] max-w-[calc(100vw-32px)] animate-rise rounded-control bg-surface-1 shadow-float">
        <Notice
          tone="bad"
          urgent
          title={NOT_LOADED.title}
          action={<IconButton label="Dismiss" icon={X} onClick={props.onClose} />}
        >
          <p>{NOT_LOADED.detail}</p>
          <div className="mt-2 flex gap-2">
            <LoadButtons onRetry={() => void loader.load()} />
          </div>
        </Notice>
      </div>
    );
  };
}

/** What nobody misses before the page is idle. */
export function lazyLayer(load: Load<object>) {
  const loader = createLoader(load);
  return function LazyLayer() {
    const state = useSyncExternalStore(loader.followWhenIdle, loader.read);
    return state.kind === "loaded" ? <state.part /> : null;
  };
}

const NOT_LOADED = {
  title: "This part of the panel could not be loaded",
  detail: "Reload the panel if Gatehouse was updated. If Gatehouse is not running, start it and try again.",
};

function NotLoaded({ onRetry }: { onRetry: () => void }) {
  return (
    <section role="alert" aria-label="Not loaded" className="flex min-h-full items-center justify-center p-6">
      <EmptyState icon={Unplug} title={NOT_LOADED.title} action={<LoadButtons onRetry={onRetry} />}>
        {NOT_LOADED.detail}
      </EmptyState>
    </section>
  );
}

function LoadButtons({ onRetry }: { onRetry: () => void }) {
  return (
    <>
      <Button size="small" look="primary" icon={RotateCw} onClick={() => window.location.reload()}>
        Reload
      </Button>
      <Button size="small" onClick={onRetry}>
        Try again
      </Button>
    </>
  );
}

/** Starts a tool in the user's terminal, through the gateway. A browser has no terminal, so there the command is copied. */
import { FolderOpen } from "lucide-react";
import { useState } from "react";
import { useMutation } from "@tanstack/react-query";
import { Button } from "@/components/button/button";
import { CodeBlock } from "@/components/button/copy-button";
import { Dialog, DialogBody, DialogFoot, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { notify } from "@/components/overlay/toast";
import { WithCode } from "@/components/text/with-code";
import type { ApiError, ToolLaunch, ToolWiringView } from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { faultElsewhere, faultOf } from "@/lib/fault";

/** The folder in which a tool was started last. */
const STORED_UNDER = "gatehouse.launch.folder";
const HOME = "~";

interface LaunchToolProps {
  tool: ToolWiringView | undefined;
  open: boolean;
  onClose: () => void;
}

export function LaunchToolDialog({ tool, open, onClose }: LaunchToolProps) {
  if (tool === undefined) return null;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={`Launch ${tool.name}`}
      description={
        tool.run_command === null
          ? undefined
          : "Starts it through the gateway, without wiring it. If no client has its name, one is added."
      }
    >
      <LaunchTool tool={tool} onClose={onClose} />
    </Dialog>
  );
}

function LaunchTool({ tool, onClose }: { tool: ToolWiringView; onClose: () => void }) {
  const isWindow = useHost().session === null;
  if (tool.run_command === null)
    return (
      <>
        <DialogBody>
          <p className="text-ink-2">
            <WithCode>{tool.run_obstacle ?? tool.sentence}</WithCode> It cannot be launched from here.
          </p>
        </DialogBody>
        <DialogFoot>
          <Button onClick={onClose}>Close</Button>
        </DialogFoot>
      </>
    );
  if (isWindow) return <InTerminal tool={tool} command={tool.run_command} onClose={onClose} />;
  return (
    <>
      <DialogBody className="flex flex-col gap-3">
        <p className="text-ink-2">Run this in a terminal, in your project:</p>
        <CodeBlock title="command" code={tool.run_command} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Close</Button>
      </DialogFoot>
    </>
  );
}

interface InTerminalProps {
  tool: ToolWiringView;
  command: string;
  onClose: () => void;
}

function InTerminal({ tool, command, onClose }: InTerminalProps) {
  const host = useHost();
  const [folder, setFolder] = useState(() => localStorage.getItem(STORED_UNDER) ?? HOME);
  const choose = useMutation<string | null, ApiError>({
    mutationFn: () => host.chooseFolder(`Folder for ${tool.name}`),
    onSuccess: (chosen) => {
      if (chosen !== null) setFolder(chosen);
    },
  });
  const launch = useMutation<null, ApiError, ToolLaunch>({
    mutationFn: (req) => host.launchTool(req),
    onSuccess: (_, { folder: started }) => {
      localStorage.setItem(STORED_UNDER, started);
      notify({ title: `Opened a terminal with ${tool.name}`, detail: `It runs ${command} in ${started}.` });
    },
  });
  return (
    <form
      noValidate
      className="flex min-h-0 flex-col"
      onSubmit={(event) => {
        event.preventDefault();
        // Not after the dialog is gone, when the user may be elsewhere.
        launch.mutate({ tool: tool.tool, folder: folder.trim() }, { onSuccess: onClose });
      }}
    >
      <DialogBody className="flex flex-col gap-4">
        <Field
          label="Folder"
          help="Your project: a whole path, or one from ~ on."
          fault={faultOf(launch.error, "folder")}
        >
          {(control) => (
            <div className="flex gap-2">
              <TextInput {...control} mono value={folder} onChange={(event) => setFolder(event.target.value)} />
              <Button icon={FolderOpen} busy={choose.isPending} onClick={() => choose.mutate()}>
                Choose…
              </Button>
            </div>
          )}
        </Field>
        <CodeBlock title="command" code={command} />
        <ErrorNotice error={choose.error ?? faultElsewhere(launch.error, ["folder"])} />
      </DialogBody>
      <SubmitFoot onCancel={onClose} busy={launch.isPending}>
        Open terminal
      </SubmitFoot>
    </form>
  );
}

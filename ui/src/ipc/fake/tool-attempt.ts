/** What trying a connected tool comes to in the made-up world. */
import type { BackendTestStepView, ClientTool, ToolCheckView, WiredKeyChangeView, WiringRung } from "@/ipc/bindings";

interface TriedTool {
  tool: ClientTool;
  name: string;
  rung: WiringRung;
  drift: WiredKeyChangeView[];
}

export function attemptOf({ tool, name, rung, drift }: TriedTool, address: string): ToolCheckView {
  const [changed] = drift;
  if (changed !== undefined) {
    const sentence = `${changed.key} in ${changed.file} was changed since ${name} was connected.`;
    const files = { ...step("Files", "fail", sentence), fix: `Run \`gatehouse clients wire ${tool}\`.` };
    return { tool, name, outcome: "fails", sentence: `${name} would fail.`, steps: [files] };
  }
  const isOwn = rung === "keychain";
  return {
    tool,
    name,
    outcome: isOwn ? "token_not_tried" : "answers",
    sentence: isOwn
      ? `The gateway answers at the address in the file of ${name}; its token is in ${name} alone.`
      : `The gateway answers as ${name} asks it.`,
    steps: [
      step("Files", "pass", "They are as they were connected."),
      isOwn
        ? step("Token", "skipped", `${name} keeps its own; that of the client ${tool} is used here.`)
        : step("Token", "pass", "The command in its file printed one."),
      step("Models", "pass", `${address}/v1/models lists 12.`),
    ],
  };
}

function step(title: string, state: BackendTestStepView["state"], detail: string): BackendTestStepView {
  return { title, state, detail, fix: null, duration_ms: null };
}

/** The queries of what agents may do, and of the programs whose agents have our MCP server. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type {
  AgentAccessView,
  AgentProgramPlanQuery,
  AgentProgramView,
  ApiError,
  WiringPlanView,
} from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { queryKey } from "@/ipc/query-key";

export function useAgentAccess(): UseQueryResult<AgentAccessView, ApiError> {
  const host = useHost();
  return useQuery<AgentAccessView, ApiError>({ queryKey: queryKey("agent_access"), queryFn: () => host.agentAccess() });
}

/** Others change the programs' files unannounced, so each look is a new one; what is known stays meanwhile. */
export function useAgentPrograms(): UseQueryResult<AgentProgramView[], ApiError> {
  const host = useHost();
  return useQuery<AgentProgramView[], ApiError>({
    queryKey: queryKey("agent_programs"),
    queryFn: () => host.agentPrograms({}),
    refetchOnMount: "always",
  });
}

export function useAgentProgramPlan(query: AgentProgramPlanQuery): UseQueryResult<WiringPlanView, ApiError> {
  const host = useHost();
  return useQuery<WiringPlanView, ApiError>({
    queryKey: queryKey("agent_program_plan", query),
    queryFn: () => host.agentProgramPlan(query),
    placeholderData: (previous) => previous,
    gcTime: 0,
  });
}

"""Kinds of records, and fields of them, that the codex versions wrote which this program was made for."""

from __future__ import annotations


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


LINE_FIELDS = _words("timestamp ordinal type payload metadata")

PAYLOAD_FIELDS = {
    "event_msg": frozenset[str](),
    "response_item": frozenset[str](),
    "session_meta": _words(
        "id session_id timestamp cwd originator cli_version source thread_source model_provider"
        " base_instructions git parent_thread_id agent_path agent_nickname agent_role multi_agent_version"
        " history_mode context_window runtime_workspace_roots dynamic_tools forked_from_id"
        " forked_from_ordinal_exclusive history_base subagent_history_start_ordinal account_scoped"
        " instructions memory_mode"
    ),
    "turn_context": _words(
        "turn_id root_turn_id cwd workspace_roots current_date timezone approval_policy approvals_reviewer"
        " sandbox_policy permission_profile file_system_sandbox_policy network model personality"
        " collaboration_mode multi_agent_version realtime_active effort summary truncation_policy comp_hash"
        " disabled_plugin_ids user_instructions developer_instructions final_output_json_schema"
    ),
    "compacted": _words(
        "message replacement_history replacement_history_metadata retained_context window_number"
        " first_window_id previous_window_id window_id compaction_response_id latest_token_usage_record"
        " resume_metadata"
    ),
    "world_state": _words("full state"),
    "token_usage_record": _words(
        "thread_id turn_id session_id root_turn_id response_id usage turn_token_usage thread_token_usage"
    ),
    "inter_agent_communication": _words(
        "author recipient other_recipients content encrypted_content trigger_turn"
    ),
    "inter_agent_communication_metadata": _words("trigger_turn"),
}
"""Fields of payloads by the type of the record; those of events and items are told by their kind."""

EVENTS = {
    "task_started": _words(
        "type turn_id root_turn_id turn_attribution started_at model_context_window collaboration_mode_kind"
    ),
    "task_complete": _words(
        "type turn_id root_turn_id last_agent_message error started_at completed_at duration_ms"
        " time_to_first_token_ms"
    ),
    "turn_aborted": _words("type turn_id root_turn_id reason started_at completed_at duration_ms"),
    "token_count": _words("type info rate_limits"),
    "user_message": _words("type message images local_images text_elements audio local_audio kind"),
    "agent_message": _words("type message phase memory_citation"),
    "agent_reasoning": _words("type text"),
    "context_compacted": _words("type"),
    "entered_review_mode": _words("type target user_facing_hint"),
    "exited_review_mode": _words("type review_output"),
    "thread_rolled_back": _words("type num_turns"),
    "thread_name_updated": _words("type thread_id thread_name"),
    "sub_agent_activity": _words("type event_id occurred_at_ms agent_thread_id agent_path kind"),
    "patch_apply_end": _words("type call_id turn_id stdout stderr success changes status"),
    "item_completed": _words("type thread_id turn_id item started_at_ms completed_at_ms"),
    "thread_settings_applied": _words("type thread_id thread_settings"),
    "thread_goal_updated": _words("type thread_id turn_id goal"),
}
EVENTS["turn_started"], EVENTS["turn_complete"] = EVENTS["task_started"], EVENTS["task_complete"]

THREAD_ITEMS = _words(
    "UserMessage AgentMessage Reasoning CommandExecution FileChange McpToolCall DynamicToolCall ImageView"
    " ImageGeneration WebSearch SubAgentActivity CollabAgentToolCall ContextCompaction EnteredReviewMode"
    " ExitedReviewMode Plan"
)

ITEMS = _words(
    "message reasoning function_call function_call_output custom_tool_call custom_tool_call_output"
    " local_shell_call web_search_call image_generation_call tool_search_call tool_search_output"
    " agent_message additional_tools configuration_update compaction compaction_summary context_compaction"
)
ITEM_FIELDS = _words(
    "type id role content phase internal_chat_message_metadata_passthrough summary encrypted_content name"
    " namespace arguments call_id output input status execution action tools author recipient result"
    " revised_prompt success end_turn"
)
"""Fields of any item: those of the Responses API differ by type, but none has two meanings."""

"""What stays as it is: names of fields, and for each of them what kind of value it holds; words of formats.

Names of fields and the words of enumerations are those of codex and of the Responses API: whoever knows the
format knows them. Anything else is somebody's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, get_args

from reducer.schemas import SCHEMAS
from reducer.wire.events import (
    AnyToolKind,
    CellStatus,
    ExecutionStatus,
    Manifest,
    RawEvent,
    RawRequester,
    RolloutStatus,
    ToolSummary,
)
from reducer.wire.payload_refs import Capture, FileRef, PayloadKindName, ShardedKindName, ShardRef

Kind = Literal[
    "text",
    "word",
    "name",
    "id",
    "path",
    "agent",
    "model",
    "key",
    "json",
    "preview",
    "number",
    "unknown",
    "secret",
]
"""What a value is, by the name of its field.

`text` is anybody's; `word` one of an enumeration; `name` that of a tool, a server or a provider; `agent` a
path or name of an agent; `json` a text that is JSON; `key` the name of a field; `preview` the beginning of a
text of JSON; a `number` counts or measures, and stays however long it is. In an `unknown` field nothing is
known of what is inside, and a `secret` one is named like one.
"""

_IDS = """
call_id id item_id turn_id root_turn_id parent_turn_id session_id submission_id event_id previous_response_id
response_id upstream_request_id prompt_cache_key installation_id window_id context_window_id agent_id ids
x-codex-installation-id x-codex-window-id x-codex-parent-thread-id forked_from_id forked_from_thread_id
parent_thread_id sender_thread_id receiver_thread_id receiver_thread_ids new_thread_id agent_thread_id
process_id cell_id targets operation_id conversation_id history_log_id stripped_tool_output_ids chunk_id
runtime_cell_id thread_id codex_turn_id edge_id $trace_unavailable installation request_id
"""
_PATHS = "cwd path workdir rollout_path move_path raw_event_log payloads_dir working_directory"
_AGENTS = """
agent_path author recipient other_recipients target task_name agent_name initiating_agent_path
child_agent_path target_agent_path path_prefix
"""
_NAMES = """
name tool tool_name tool_namespace namespace server label provider_name model_provider_id model_provider
collaboration_mode_kind
"""
_MODELS = "model default_model"
_KEYS = "required"
_PREVIEWS = "input_preview output_preview"
_WORDS = """
type kind status phase role channel event_type source tool_choice include effort reasoning_effort verbosity
syntax execution detail sandbox sandbox_mode approval_policy session_source request_kind turn_trigger
thread_source mimeType fork_turns language codex_error_info subagent subagent_kind previous_status
agent_status history_initialization approvals_reviewer permissions_profile x-openai-subagent context
search_content_types content_item_kinds rebuilt_from sandbox_policy decision service_tier truncation
"""
_TEXTS = """
text content output description summary message input payload parts instructions base_instructions
encrypted_content content_items output_items input_history replacement_history items properties
additionalProperties parameters tools format definition strict enum anyOf oneOf allOf default title minItems
maxItems minimum maximum prefix_rule sandbox_permissions justification login shell tty cmd command
parsed_cmd yield_time_ms max_output_tokens max_tokens timeout_ms chars query queries uri url action pattern
image_url audio_url file_id data result results error errors error_text reason prompt last_agent_message
nickname agent_role agent_type agent_nickname receiver_agent_nickname receiver_agent_role new_agent_nickname
new_agent_role subagent_notification aggregated_output formatted_output stdout stderr exit_code duration
secs nanos duration_ms duration_seconds started_at completed_at started_at_ms completed_at_ms occurred_at_ms
started_at_unix_ms wall_time_seconds wall_time_unix_ms create_time timed_out interaction_input unified_diff
changes add delete update content_token_count content_item_metadata
internal_chat_message_metadata_passthrough client_metadata x-codex-turn-metadata
x-codex-ws-stream-request-start-ms turn_attribution turn_metadata token_usage input_tokens
cached_input_tokens cache_write_input_tokens output_tokens reasoning_output_tokens total_tokens
total_token_usage last_token_usage model_context_window token_budget objective reasoning stream store
parallel_tool_calls output_schema output_schema_strict prompt_cache_ttl cyber_access_program hook
external_web_access provenance questions options header question plan step explanation limit agents statuses
thread_spawn depth invocation response response_item value structuredContent isError is_error Ok Err Result
Yielded Terminated success interrupt terminate fork_context defer_loading encrypted original_token_count
raw_payload_id shard capture original_bytes retained_bytes schema_version seq rollout_id trace_id
root_thread_id metadata schema resource content_items_count window_number turn_started_at_unix_ms
time_to_first_token_ms pending_init running interrupted shutdown not_found completed errored failed aborted
cancelled yielded terminated starting trigger_turn summary_text job_id code_mode_host_duration
permission_profile auto_review_enabled analytics_enabled images local_images text_elements initial_messages
findings overall_correctness overall_explanation overall_confidence_score last_task_message revised_prompt
receiver_agents agent_statuses user env carried_payload has_changes workspaces run_id attempt stored
node_repl_auto_review_required node_repl_disabled auto_approved history_entry_count cursor autoResolutionMs
"""

_DECLARED: tuple[type, ...] = (RawEvent, Manifest, FileRef, ShardRef)


def _declared_fields() -> Iterator[str]:
    """The fields of all that is declared of the log: a new event of a schema needs no word here."""
    events = (event for schema in SCHEMAS.values() for event in schema.events.values())
    others = (one for union in (AnyToolKind, RawRequester, ToolSummary, Capture) for one in get_args(union))
    for declared in (*_DECLARED, *events, *others):
        yield from declared.__struct_fields__


_COUNTS = re.compile(
    r".*(?:_ms|_at|_bytes|_count|_number|_tokens|_seconds|_time|tokens|_percent|_confidence_score)|seq|shard|secs"
    r"|nanos|depth|exit_code|schema_version|limit"
)
"""The names of fields that count or measure."""


def _kind_by_form(field: str) -> Kind:
    if _COUNTS.fullmatch(field) is not None:
        return "number"
    return "id" if field.endswith(("_id", "_ids")) else "text"


def _table() -> dict[str, Kind]:
    told: list[tuple[Kind, str]] = [
        ("id", _IDS),
        ("path", _PATHS),
        ("agent", _AGENTS),
        ("name", _NAMES),
        ("model", _MODELS),
        ("key", _KEYS),
        ("preview", _PREVIEWS),
        ("json", "arguments"),
        ("word", _WORDS),
    ]
    table = {field: _kind_by_form(field) for field in _declared_fields()}
    table.update({field: _kind_by_form(field) for field in _TEXTS.split()})
    for kind, fields in told:
        table.update(dict.fromkeys(fields.split(), kind))
    return table


FIELDS: dict[str, Kind] = _table()
"""The fields that are known, each with the kind of its values."""

_SECRET_FIELD = re.compile(
    r"(?i)passw|passphrase|secret|token|credential|api.?key|access.?key|private.?key|\bkey\b|auth|cookie|"
    r"session.?key|signature|bearer"
)


def kind_of(field: str) -> Kind:
    """What kind of value a field has, by its name."""
    known = FIELDS.get(field)
    if known is not None:
        return known
    return "secret" if _SECRET_FIELD.search(field) else "unknown"


def _tags(unions: Iterable[object]) -> Iterator[str]:
    for union in unions:
        yield from (str(one.__struct_config__.tag) for one in get_args(union))


_OTHER_WORDS = """
message reasoning function_call function_call_output custom_tool_call custom_tool_call_output agent_message
tool_search_call tool_search_output web_search_call image_generation_call local_shell_call
mcp_tool_call_output compaction compaction_summary context_compaction compaction_trigger additional_tools
configuration_update input_text output_text text input_image input_audio input_file output_image image audio
reasoning_text summary_text encrypted_content function custom tool_search local_shell direct_response
code_mode_response mcp namespace grammar lark regex object array string number integer boolean null
object_schema json_schema json_object system developer user assistant tool commentary final_answer
partial_answer analysis summary final client server session_configured turn_started turn_complete
turn_aborted thread_rolled_back warning error shutdown_complete in_progress pending pending_init interrupted
shutdown not_found errored started interacted incomplete queued auto none low medium high xhigh minimal
ultra max original concise detailed default new warm_fork cold_resume exec cli vscode review subagent
thread_spawn collab_spawn compact turn agent harness hook unknown read list_files search
unified_exec_startup unified_exec_interaction user_shell never on-request on-failure untrusted
danger-full-access workspace-write read-only DangerFullAccess WorkspaceWrite ReadOnly
reasoning.encrypted_content all all_turns last search_query open_page find_in_page open find
context_window_exceeded usage_limit_exceeded stream_disconnected text/plain image/png image/jpeg image/gif
image/webp audio/wav audio/mpeg application/json application/pdf session use_default require_escalated
user.text user.image permissions.instructions environments.environment_context host_skills.instructions
tools.deferred_namespaces multi_agent.mode_instructions model.base_instructions multi_agent.usage_hint
multi_agent.role_instructions collaboration_mode.instructions generic.turn_aborted harness.turn_aborted
generic.developer_instructions developer_instructions compaction.summary skills
multi_agent.subagent_notification agents_md.instructions agents_md model_switch.instructions
tools.removed_definition current_time.reminder task_started task_complete user_message agent_reasoning
sub_agent_activity disabled enabled web_search add update delete invalid_request_error server_error
rate_limit_exceeded response.create resource
"""

WORDS: frozenset[str] = frozenset(
    {
        *_OTHER_WORDS.split(),
        *(word for names in (PayloadKindName, ShardedKindName) for word in get_args(names)),
        *(word for names in (RolloutStatus, ExecutionStatus, CellStatus) for word in get_args(names)),
        *_tags((AnyToolKind, RawRequester, ToolSummary, Capture)),
        *(tag for schema in SCHEMAS.values() for tag in schema.events),
    }
)
"""The words of enumerations."""

_NAMES_OF_CODEX = """
    exec_command write_stdin shell shell_command local_shell container.exec apply_patch update_plan view_image
    exec wait web_search web_search_preview web search image_generation image_query tool_search
    request_user_input request_user_input_async request_permissions get_goal create_goal update_goal
    spawn_agent send_message send_input followup_task assign_task wait_agent close_agent interrupt_agent
    resume_agent list_agents list_mcp_resources list_mcp_resource_templates read_mcp_resource sleep clock
    collaboration multi_agent_v1 functions multi_tool_use parallel tools new_context get_context_remaining
    openai OpenAI azure Azure ollama lmstudio oss amazon-bedrock default plan
"""

NAMES = frozenset(_NAMES_OF_CODEX.split())
"""The names of codex's own tools and their groups, and of well-known providers."""

_PLAIN_MODEL = re.compile(
    r"(?:gpt-(?:oss-\d{1,3}b|\d(?:\.\d{1,2})?o?)|o[1-9]|codex|chatgpt-\do?)"
    r"(?:-(?:codex|mini|nano|max|pro|turbo|preview|latest|spark|sol|luna|high|low|medium|xhigh))*"
)


def is_plain_model(name: str) -> bool:
    """Whether a model has a name that its maker published; a fine-tuned one is named by who has it made."""
    return _PLAIN_MODEL.fullmatch(name) is not None

"""What a tool call is: the kinds that events tell and the graph repeats."""

from __future__ import annotations

from msgspec import Struct


class ToolKind(Struct, frozen=True, tag_field="type"):
    """What a tool call is, told by its `type`; see `AnyToolKind` for the variants."""

    @property
    def name_of_type(self) -> str:
        """The `type` as it is spelled in the trace, such as `exec_command`."""
        return str(self.__struct_config__.tag)

    @property
    def name_in_reference(self) -> str:
        """How the reference spells the kind in its messages: `ExecCommand`, `Other { name: "x" }`."""
        fields = [f"{name}: {quoted(getattr(self, name))}" for name in self.__struct_fields__]
        name = "".join(map(str.capitalize, self.name_of_type.split("_")))
        return f"{name} {{ {', '.join(fields)} }}" if fields else name


def quoted(text: str) -> str:
    """A text as the reference quotes it in messages."""
    return '"' + "".join(_ESCAPES.get(one) or _escaped(one) for one in text) + '"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def _escaped(character: str) -> str:
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


class ExecCommand(ToolKind, frozen=True, tag="exec_command"):
    """Runs a command in a terminal."""


class WriteStdin(ToolKind, frozen=True, tag="write_stdin"):
    """Writes to a terminal that is still running."""


class ApplyPatch(ToolKind, frozen=True, tag="apply_patch"):
    """Changes files by a patch."""


class Mcp(ToolKind, frozen=True, tag="mcp"):
    """Calls a tool of an MCP server."""

    server: str
    tool: str


class Web(ToolKind, frozen=True, tag="web"):
    """Searches the web."""


class ImageGeneration(ToolKind, frozen=True, tag="image_generation"):
    """Makes or queries an image."""


class SpawnAgent(ToolKind, frozen=True, tag="spawn_agent"):
    """Starts a child agent."""


class AssignAgentTask(ToolKind, frozen=True, tag="assign_agent_task"):
    """Gives another task to an agent."""


class SendMessage(ToolKind, frozen=True, tag="send_message"):
    """Sends a message to an agent."""


class WaitAgent(ToolKind, frozen=True, tag="wait_agent"):
    """Waits for agents."""


class CloseAgent(ToolKind, frozen=True, tag="close_agent"):
    """Ends an agent."""


class OtherTool(ToolKind, frozen=True, tag="other"):
    """Any other tool, by name."""

    name: str


AnyToolKind = (
    ExecCommand
    | WriteStdin
    | ApplyPatch
    | Mcp
    | Web
    | ImageGeneration
    | SpawnAgent
    | AssignAgentTask
    | SendMessage
    | WaitAgent
    | CloseAgent
    | OtherTool
)

"""Hypothesis strategies for streams that a correct OpenAI-compatible upstream could send, in all their variety."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from tests.fakes.replies import SSE

Chunk = dict[str, Any]

# Names that mean something somewhere in a chunk; what is drawn as "unknown" must not be one of them.
KNOWN = set(
    "id object created model system_fingerprint service_tier choices usage error index delta finish_reason logprobs role "
    "content reasoning reasoning_content refusal tool_calls function_call audio type function name arguments images "
    "thinking_blocks annotations provider_specific_fields prompt_tokens completion_tokens total_tokens "
    "prompt_tokens_details completion_tokens_details".split()
)
# Vendors' own names. Those that are names of methods or arguments in Python have a test of their own: C11.
VENDORS = st.sampled_from(
    "x_groq citations provider native_finish_reason stop_reason token_ids reasoning_details kv_transfer_params data "
    "values status code détail 名前 a.b".split()
    + ["with space", "", "-"]
)

text = st.one_of(
    st.text(max_size=8), st.sampled_from(["\n", "\r\n", "data: x\n\n", "[DONE]", "日本", "👩‍👩‍👧", "\u2028", '"', "\\"])
)
names = st.one_of(VENDORS, st.text(max_size=6)).filter(lambda name: name not in KNOWN)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), text
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=4
)
unknown = st.dictionaries(names, values, max_size=2)
maybe_unknown = st.one_of(st.just({}), st.just({}), unknown)

token = st.fixed_dictionaries(
    {"token": text, "logprob": st.floats(-50, 0), "bytes": st.none() | st.lists(st.integers(0, 255), max_size=4)},
    optional={"top_logprobs": st.just([])},
)
logprobs = st.none() | st.fixed_dictionaries({"content": st.none() | st.lists(token, max_size=2), "refusal": st.none()})
usages = st.fixed_dictionaries(
    {name: st.integers(0, 10**6) for name in ("prompt_tokens", "completion_tokens", "total_tokens")},
    optional={
        "completion_tokens_details": st.none() | st.just({"reasoning_tokens": 3, "accepted_prediction_tokens": None}),
        "prompt_tokens_details": st.just({"cached_tokens": 1, "vendor": {"x": 1.5}}),
        "cost": st.floats(0, 10),
    },
)


@st.composite
def _choice(draw: st.DrawFn, index: int) -> list[Chunk]:
    """What one choice says, delta by delta, up to its finish_reason."""
    pieces: list[Chunk] = [{"delta": {"role": "assistant", **draw(_words())}}] if draw(st.booleans()) else []
    tools = 0
    for _ in range(draw(st.integers(0, 4))):
        delta = draw(_words())
        if draw(st.integers(0, 2)) == 0:
            calls, tools = draw(_calls(index, tools))
            delta["tool_calls"] = calls
        pieces.append({"delta": delta})
    reasons = ["tool_calls"] if tools else ["stop", "length", "content_filter"]
    last = {} if draw(st.booleans()) else draw(_words())
    pieces.append({"delta": last, "finish_reason": draw(st.sampled_from(reasons))})
    return [_piece(draw, index, piece) for piece in pieces]


def _piece(draw: st.DrawFn, index: int, piece: Chunk) -> Chunk:
    piece = {"index": index, "finish_reason": None, **piece, **draw(maybe_unknown)}
    if draw(st.booleans()):
        piece["logprobs"] = draw(logprobs)
    if piece["finish_reason"] is None and draw(st.booleans()):
        del piece["finish_reason"]
    return piece


@st.composite
def _words(draw: st.DrawFn) -> Chunk:
    """A delta's text, under some of the names it can have, or under none."""
    said = st.none() | st.just("") | text
    fields = draw(st.sets(st.sampled_from(["content", "reasoning", "reasoning_content", "refusal"]), max_size=3))
    return {name: draw(said) for name in sorted(fields)} | draw(maybe_unknown)


@st.composite
def _calls(draw: st.DrawFn, choice: int, begun: int) -> tuple[list[Chunk], int]:
    """Tool-call deltas: id and name on the first of an index, then only fragments of the arguments."""
    calls: list[Chunk] = []
    for _ in range(draw(st.integers(1, 2))):
        if begun == 0 or draw(st.booleans()):
            function = {"name": f"tool{begun}", "arguments": draw(st.just("") | text), **draw(maybe_unknown)}
            calls.append({"index": begun, "id": f"call_{choice}_{begun}", "type": "function", "function": function})
            begun += 1
        else:
            calls.append({"index": draw(st.integers(0, begun - 1)), "function": {"arguments": draw(text)}})
        calls[-1] |= draw(maybe_unknown)
    return calls, begun


@st.composite
def streams(draw: st.DrawFn, *, usage: bool = True) -> list[Chunk]:
    """A whole stream. The last chunk may carry the usage, unless usage=False."""
    head = {
        "id": draw(st.text(min_size=1, max_size=12)),
        "object": "chat.completion.chunk",
        "created": draw(st.integers(1, 2**33)),
        "model": draw(st.sampled_from(["gpt-x", 'a "quoted" one', "meta-llama/X", "モデル"])),
    }
    if draw(st.booleans()):
        head["system_fingerprint"] = draw(st.none() | text)
    count = draw(st.integers(1, 3))
    waiting = [draw(_choice(index)) for index in range(count)]
    chunks: list[Chunk] = []
    if draw(st.booleans()):  # Azure begins with what its filter found
        chunks.append({**head, "choices": [], **draw(maybe_unknown)})
    while any(waiting):
        at = draw(st.sampled_from([at for at in range(count) if waiting[at]]))
        choices = [waiting[at].pop(0)]
        if draw(st.integers(0, 3)) == 0:
            choices += [other.pop(0) for other in waiting if other and other is not waiting[at]]
        chunk = {**head, "choices": choices, **draw(maybe_unknown)}
        if draw(st.booleans()):
            chunk["usage"] = None
        chunks.append(chunk)
    if usage and draw(st.booleans()):
        chunks.append({**head, "choices": [], "usage": draw(usages), **draw(maybe_unknown)})
    return chunks


dialects = st.builds(
    SSE,
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    space=st.booleans(),
    multiline=st.booleans(),
    fields=st.sampled_from([(), ("event: message",), (": a comment",), ("id: 7", "retry: 10")]),
    heartbeat=st.sampled_from(["", ": ping", ":"]),
    done=st.booleans(),
)


@st.composite
def segments(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The bytes as they may arrive: cut anywhere, also in the middle of a character."""
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=12)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def written(chunks: Sequence[Chunk], sse: SSE) -> bytes:
    """The stream as bytes."""
    events = [sse.event(chunk) for chunk in chunks]
    return b"".join(events) + (sse.event("[DONE]") if sse.done else b"")


def is_usage(chunk: Chunk) -> bool:
    return not chunk["choices"] and bool(chunk.get("usage"))


# --- comparing -------------------------------------------------------------------------------------------------------


def differences(sent: Any, got: Any, path: str = "") -> list[str]:
    """What of `sent` is missing or different in `got`, and what is new there – except nothing (null, "", {}, []), which
    the SDK's objects may add, and which may be left out."""
    if nothing(sent) and nothing(got):
        return []
    if isinstance(sent, dict) and isinstance(got, dict):
        found = []
        for name in {**sent, **got}:
            found += differences(sent.get(name), got.get(name), f"{path}.{name}")
        return found
    if isinstance(sent, list) and isinstance(got, list) and len(sent) == len(got):
        return [
            line for at, pair in enumerate(zip(sent, got, strict=True)) for line in differences(*pair, f"{path}[{at}]")
        ]
    same = sent == got and isinstance(sent, bool) == isinstance(got, bool)
    return [] if same else [f"{path}: {json.dumps(sent)} became {json.dumps(got)}"]


def nothing(value: Any) -> bool:
    """Whether a value says nothing at all."""
    if isinstance(value, dict):
        return all(nothing(item) for item in value.values())
    return value is None or value in ("", []) and not isinstance(value, bool)

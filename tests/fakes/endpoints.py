"""The default answers in OpenAI's shapes. To add an endpoint: write its function, add its row to ENDPOINTS."""

import re
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .replies import Answer, Reply, Stream, ToolCall, openai_error, plain_json
from .seen import Seen

if TYPE_CHECKING:
    from .upstream import Upstream

CREATED = 1_700_000_000
WORDS = re.compile(r"\s*\w+|\s*[^\w\s]+|\s+")  # loses nothing: "Hello", " from", " upstream", "."
ARGUMENT_FRAGMENT = 6  # characters; small enough to cut through names, numbers and escapes


def chat_completions(_upstream: "Upstream", seen: Seen, answer: Answer) -> Reply:
    request = seen.json
    if not isinstance(request, dict) or not isinstance(request.get("messages"), list):
        return openai_error(400, "We could not parse the JSON body of your request, or it has no messages.")
    about: dict[str, Any] = {
        "number": seen.number,
        "model": answer.model or request.get("model", ""),
        "choices": request.get("n") or 1,
        "use_tools": bool(request.get("tools")),
    }
    if request.get("stream"):
        include_usage = (request.get("stream_options") or {}).get("include_usage", False)
        return Stream(chat_chunks(answer, include_usage=include_usage, **about))
    return plain_json(chat_completion(answer, **about))


def chat_completion(
    answer: Answer, *, number: int = 1, model: str = "fake-model", choices: int = 1, use_tools: bool = True
) -> dict[str, Any]:
    calls = answer.tool_calls if use_tools else ()
    message: dict[str, Any] = {"role": "assistant", "content": None if calls else answer.text, "refusal": None}
    message |= answer.message
    if calls:
        message["tool_calls"] = [_whole_call(call, number, index) for index, call in enumerate(calls)]
    finish = _finish_reason(answer, calls)
    return {
        "id": f"chatcmpl-fake-{number}",
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": [
            {"index": index, "message": message, "logprobs": None, "finish_reason": finish} for index in range(choices)
        ],
        **({"usage": answer.usage} if answer.usage is not None else {}),
        "system_fingerprint": "fp_fake",
        **answer.extra,
    }


def chat_chunks(
    answer: Answer,
    *,
    number: int = 1,
    model: str = "fake-model",
    choices: int = 1,
    use_tools: bool = True,
    include_usage: bool = False,
) -> list[dict[str, Any]]:
    """The same as a stream. Tests take it apart to build streams of their own."""
    calls = answer.tool_calls if use_tools else ()

    def chunk(choice_list: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-fake-{number}",
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": model,
            "system_fingerprint": "fp_fake",
            "choices": choice_list,
            **({"usage": None} if include_usage else {}),
            **answer.extra,
        }

    chunks = [
        chunk([{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}])
        for delta, finish in [*_deltas(answer, calls, number), ({}, _finish_reason(answer, calls))]
        for index in range(choices)
    ]
    if include_usage and answer.usage is not None:
        chunks.append({**chunk([]), "usage": answer.usage})
    return chunks


def _deltas(answer: Answer, calls: tuple[ToolCall, ...], number: int) -> Iterator[tuple[dict[str, Any], None]]:
    yield {"role": "assistant", "content": None if calls else "", "refusal": None}, None
    fields: dict[str, Any] = {**answer.message, "content": None if calls else answer.text}
    for name, value in fields.items():
        if isinstance(value, str):
            yield from (({name: word}, None) for word in WORDS.findall(value))
        elif value is not None:
            yield {name: value}, None
    for index, call in enumerate(calls):
        whole, text = _whole_call(call, number, index), call.arguments_text
        opening = {"index": index, **whole, "function": {**whole["function"], "arguments": ""}}
        yield {"tool_calls": [opening]}, None
        for start in range(0, len(text), ARGUMENT_FRAGMENT):
            fragment = text[start : start + ARGUMENT_FRAGMENT]
            yield {"tool_calls": [{"index": index, "function": {"arguments": fragment}}]}, None


def _whole_call(call: ToolCall, number: int, index: int) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments_text}
    return {"id": f"call_fake_{number}_{index}", "type": "function", "function": function}


def _finish_reason(answer: Answer, calls: tuple[ToolCall, ...]) -> str:
    return answer.finish_reason or ("tool_calls" if calls else "stop")


def completions(_upstream: "Upstream", seen: Seen, answer: Answer) -> Reply:
    request = seen.json
    if not isinstance(request, dict) or "prompt" not in request:
        return openai_error(400, "We could not parse the JSON body of your request, or it has no prompt.")
    texts = [text + (answer.text or "") for text in _echoed(request)]
    head = {
        "id": f"cmpl-fake-{seen.number}", "object": "text_completion", "created": CREATED,
        "model": answer.model or request.get("model", ""), **answer.extra,
    }  # fmt: skip
    if not request.get("stream"):
        choices = [_text_choice(text, at, answer.finish_reason or "stop") for at, text in enumerate(texts)]
        return plain_json({**head, "choices": choices, **({"usage": answer.usage} if answer.usage is not None else {})})
    include_usage = (request.get("stream_options") or {}).get("include_usage", False)
    return Stream(text_chunks(head, texts, answer, include_usage=include_usage))


def text_chunks(
    head: dict[str, Any], texts: list[str], answer: Answer, *, include_usage: bool = False
) -> list[dict[str, Any]]:
    """Continuations as a stream, one after the other."""
    pieces = [
        _text_choice(word, at, None) for at, text in enumerate(texts) for word in WORDS.findall(text)
    ] + [_text_choice("", at, answer.finish_reason or "stop") for at in range(len(texts))]  # fmt: skip
    chunks: list[dict[str, Any]] = [{**head, "choices": [piece]} for piece in pieces]
    if include_usage and answer.usage is not None:
        chunks.append({**head, "choices": [], "usage": answer.usage})
    return chunks


def _text_choice(text: str, index: int, finish_reason: str | None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish_reason}


def _echoed(request: dict[str, Any]) -> list[str]:
    """What stands before each of the continuations: the prompt if it is to be echoed, else nothing."""
    prompt = request["prompt"]
    several = isinstance(prompt, list) and not all(isinstance(token, int) for token in prompt)
    prompts = prompt if several else [prompt]
    return [str(one) if request.get("echo") else "" for one in prompts for _ in range(request.get("n") or 1)]


def embeddings(_upstream: "Upstream", seen: Seen, answer: Answer) -> Reply:
    """Vectors that say which text they are of: [position, 0.5, …], as floats or base64."""
    request = seen.json
    if not isinstance(request, dict) or "input" not in request:
        return openai_error(400, "We could not parse the JSON body of your request, or it has no input.")
    texts = request["input"]
    count = len(texts) if isinstance(texts, list) and not all(isinstance(token, int) for token in texts) else 1
    vectors: list[Any] = [[float(at), *[0.5] * ((request.get("dimensions") or 4) - 1)] for at in range(count)]
    if request.get("encoding_format") == "base64":
        vectors = [b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() for vector in vectors]
    rows = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 5, "total_tokens": 5}
    head = {"object": "list", "model": answer.model or request.get("model", ""), "usage": usage}
    return plain_json({**head, "data": rows, **answer.extra})


def moderations(_upstream: "Upstream", seen: Seen, answer: Answer) -> Reply:
    """Every text is flagged that says "kill"."""
    request = seen.json
    if not isinstance(request, dict) or "input" not in request:
        return openai_error(400, "We could not parse the JSON body of your request, or it has no input.")
    texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
    results = []
    for text in texts:
        bad = "kill" in str(text)
        results.append({
            "flagged": bad,
            "categories": {"violence": bad, "violence/graphic": False, "illicit": None},
            "category_scores": {"violence": 0.9 if bad else 0.0, "violence/graphic": 0.0, "illicit": None},
        })  # fmt: skip
    model = answer.model or request.get("model") or "omni-moderation-latest"
    return plain_json({"id": f"modr-fake-{seen.number}", "model": model, "results": results, **answer.extra})


def models(upstream: "Upstream", _seen: Seen, _answer: Answer) -> Reply:
    names = list(upstream.models) or ["fake-model"]
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "fake"} for name in names]
    return plain_json({"object": "list", "data": data})


ENDPOINTS: Mapping[tuple[str, str], Callable[["Upstream", Seen, Answer], Reply]] = {
    ("POST", "/chat/completions"): chat_completions,
    ("POST", "/completions"): completions,  # after the one that ends alike
    ("POST", "/embeddings"): embeddings,
    ("POST", "/moderations"): moderations,
    ("GET", "/models"): models,
}

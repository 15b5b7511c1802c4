"""Anthropic's Messages, token counts and models."""

import functools

import anthropic

PACKAGE, VERSION, ERRORS = "anthropic", anthropic.__version__, (anthropic.AnthropicError,)
FINISHES = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tools"}


def settings(root, token):
    return {"base_url": root, "api_key": token, "_strict_response_validation": True}


@functools.cache
def client(root, token):
    return anthropic.Anthropic(**settings(root, token))


def content(turn):
    if not turn.get("images"):
        return turn["text"]
    images = [
        {"type": "image", "source": {"type": "base64", **image}} for image in turn["images"]
    ]
    return [{"type": "text", "text": turn["text"]}, *images]


def messages(question):
    for turn in question["turns"]:
        if turn["role"] == "user":
            yield {"role": "user", "content": content(turn)}
        elif turn["role"] == "assistant":
            texts = [{"type": "text", "text": turn["text"]}] if turn.get("text") else []
            calls = [
                {
                    "type": "tool_use",
                    "id": call["id"],
                    "name": call["name"],
                    "input": call["arguments"],
                }
                for call in turn.get("calls", [])
            ]
            yield {"role": "assistant", "content": [*texts, *calls]}
        else:
            results = [
                {"type": "tool_result", "tool_use_id": result["id"], "content": result["text"]}
                for result in turn["results"]
            ]
            yield {"role": "user", "content": results}


def prompt(question):
    body = {"model": question["model"], "messages": list(messages(question))}
    if question.get("system"):
        body["system"] = question["system"]
    if "tools" in question:
        body["tools"] = [
            {"name": tool["name"], "input_schema": tool["schema"]} for tool in question["tools"]
        ]
    choice = question.get("choice")
    if choice:
        named = {"type": "tool", "name": choice}
        body["tool_choice"] = {"any": {"type": "any"}, "none": {"type": "none"}}.get(choice, named)
    if question.get("one_call"):
        body["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
    if "schema" in question:
        named = {"type": "json_schema", "schema": question["schema"]}
        body["output_config"] = {"format": named}
    if question.get("thinking"):
        body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    return body


def request(question):
    return {**prompt(question), "max_tokens": question.get("max_tokens", 2048)}


def seen_in(message):
    usage = message.usage
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    details = usage.output_tokens_details
    of = {
        kind: [block for block in message.content if block.type == kind]
        for kind in ("text", "thinking", "tool_use")
    }
    return {
        "text": "".join(block.text for block in of["text"]),
        "finish": FINISHES.get(message.stop_reason, message.stop_reason),
        "thinking": "".join(block.thinking for block in of["thinking"]),
        "calls": [{"name": block.name, "arguments": block.input} for block in of["tool_use"]],
        "usage": {
            "input": usage.input_tokens + cached + written,
            "output": usage.output_tokens,
            "cached": cached,
            "reasoning": (details and details.thinking_tokens) or 0,
        },
    }


def whole(root, token, question, _seen):
    return seen_in(client(root, token).messages.create(**request(question)))


def looped(root, token, question, _seen):
    """Sends the answer's blocks back unchanged, signatures included, with the results of its calls."""
    body = request(question)
    message = client(root, token).messages.create(**body)
    results = [
        {
            "type": "tool_result",
            "tool_use_id": block.id,
            "content": question["results"][block.name],
        }
        for block in message.content
        if block.type == "tool_use"
    ]
    answer = [
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": results},
    ]
    again = {**body, "messages": [*body["messages"], *answer]}
    return seen_in(client(root, token).messages.create(**again))


def begin(seen):
    seen.update(text="", thinking="", finish=None, calls=[], usage=None)


def take(event, seen, open_blocks):
    """Checks that the blocks are consecutive and without gaps."""
    if event.type == "content_block_start":
        if event.index != len(open_blocks) or not all(open_blocks.values()):
            raise AssertionError(f"block {event.index} begins after {open_blocks}")
        open_blocks[event.index] = False
    elif event.type == "content_block_stop":
        open_blocks[event.index] = True
    elif event.type == "content_block_delta" and event.delta.type == "text_delta":
        seen["text"] += event.delta.text
    elif event.type == "content_block_delta" and event.delta.type == "thinking_delta":
        seen["thinking"] += event.delta.thinking
    elif event.type == "message_delta":
        seen["finish"] = event.delta.stop_reason


def finished(seen, message):
    final = seen_in(message)
    if (seen["text"], seen["thinking"]) != (final["text"], final["thinking"]):
        raise AssertionError(f"{seen} came, {final} was put together")
    return final


def streamed(root, token, question, seen):
    begin(seen)
    blocks = {}
    with client(root, token).messages.stream(**request(question)) as stream:
        for event in stream:
            take(event, seen, blocks)
        return finished(seen, stream.get_final_message())


async def asynchronous(root, token, question, seen):
    begin(seen)
    blocks = {}
    async with anthropic.AsyncAnthropic(**settings(root, token)) as own:
        async with own.messages.stream(**request(question)) as stream:
            async for event in stream:
                take(event, seen, blocks)
            return finished(seen, await stream.get_final_message())


def count(root, token, question, _seen):
    answer = client(root, token).messages.count_tokens(**prompt(question))
    return {"count": answer.input_tokens}


def models(root, token, _question, _seen):
    return {"models": sorted(model.id for model in client(root, token).models.list())}

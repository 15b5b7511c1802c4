"""OpenAI's Responses."""

import json

import openai
import openai_chat

PACKAGE, VERSION, ERRORS = "openai", openai.__version__, (openai.OpenAIError,)


def content(turn):
    if not turn.get("images"):
        return turn["text"]
    url = "data:{media_type};base64,{data}".format
    images = [
        {"type": "input_image", "detail": "auto", "image_url": url(**image)}
        for image in turn["images"]
    ]
    return [{"type": "input_text", "text": turn["text"]}, *images]


def items(question):
    for turn in question["turns"]:
        if turn["role"] == "user":
            yield {"role": "user", "content": content(turn)}
        elif turn["role"] == "assistant":
            if turn.get("text"):
                yield {"role": "assistant", "content": turn["text"]}
            for call in turn.get("calls", []):
                yield {
                    "type": "function_call",
                    "call_id": call["id"],
                    "name": call["name"],
                    "arguments": json.dumps(call["arguments"]),
                }
        else:
            for result in turn["results"]:
                yield {
                    "type": "function_call_output",
                    "call_id": result["id"],
                    "output": result["text"],
                }


def request(question):
    body = {"model": question["model"], "input": list(items(question)), "store": False}
    if question.get("system"):
        body["instructions"] = question["system"]
    if "tools" in question:
        body["tools"] = [
            {
                "type": "function",
                "name": tool["name"],
                "parameters": tool["schema"],
                "strict": False,
            }
            for tool in question["tools"]
        ]
    choice = question.get("choice")
    if choice:
        named = {"type": "function", "name": choice}
        body["tool_choice"] = {"any": "required", "none": "none"}.get(choice, named)
    if question.get("one_call"):
        body["parallel_tool_calls"] = False
    if "schema" in question:
        named = {"type": "json_schema", "name": "place", "strict": True}
        body["text"] = {"format": {**named, "schema": question["schema"]}}
    if question.get("thinking"):
        body["reasoning"] = {"effort": "low", "summary": "auto"}
    if "max_tokens" in question:
        body["max_output_tokens"] = question["max_tokens"]
    return body


def seen_in(response):
    calls = [item for item in response.output if item.type == "function_call"]
    reasons = [item for item in response.output if item.type == "reasoning"]
    finish = "tools" if calls else "stop"
    if response.status == "incomplete":
        reason = response.incomplete_details.reason
        finish = "length" if reason == "max_output_tokens" else reason
    elif response.status != "completed":
        finish = response.status
    usage = response.usage
    return {
        "text": response.output_text,
        "finish": finish,
        "thinking": "".join(part.text for item in reasons for part in item.summary),
        "calls": [{"name": call.name, "arguments": json.loads(call.arguments)} for call in calls],
        "usage": usage
        and {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cached": usage.input_tokens_details.cached_tokens,
            "reasoning": usage.output_tokens_details.reasoning_tokens,
        },
    }


def whole(root, token, question, _seen):
    return seen_in(openai_chat.client(root, token).responses.create(**request(question)))


def looped(root, token, question, _seen):
    """Sends the answer's items back unchanged, with the results of its calls."""
    body = request(question)
    response = openai_chat.client(root, token).responses.create(**body)
    answer = [item.model_dump(exclude_none=True) for item in response.output]
    results = [
        {
            "type": "function_call_output",
            "call_id": item.call_id,
            "output": question["results"][item.name],
        }
        for item in response.output
        if item.type == "function_call"
    ]
    again = {**body, "input": [*body["input"], *answer, *results]}
    return seen_in(openai_chat.client(root, token).responses.create(**again))


def begin(seen):
    seen.update(text="", thinking="", finish=None, calls=[], usage=None)
    return {"arguments": {}, "number": -1, "final": None}


def take(event, seen, state):
    if event.sequence_number <= state["number"]:
        raise AssertionError(f"{event.sequence_number} after {state['number']}")
    state["number"] = event.sequence_number
    if event.type == "response.output_text.delta":
        seen["text"] += event.delta
    elif event.type == "response.reasoning_summary_text.delta":
        seen["thinking"] += event.delta
    elif event.type == "response.function_call_arguments.delta":
        pieces = state["arguments"].setdefault(event.output_index, [])
        pieces.append(event.delta)
    elif event.type in ("response.completed", "response.incomplete"):
        state["final"] = event.response


def finished(seen, state):
    """Checks that the deltas add up to the last event."""
    if state["final"] is None:
        return seen
    final = seen_in(state["final"])
    arguments = [json.loads("".join(pieces)) for _, pieces in sorted(state["arguments"].items())]
    told = [call["arguments"] for call in final["calls"]]
    if (seen["text"], seen["thinking"], arguments) != (final["text"], final["thinking"], told):
        raise AssertionError(f"{seen} and {arguments} came, {final} was said at the end")
    return final


def streamed(root, token, question, seen):
    state = begin(seen)
    for event in openai_chat.client(root, token).responses.create(**request(question), stream=True):
        take(event, seen, state)
    return finished(seen, state)


async def asynchronous(root, token, question, seen):
    state = begin(seen)
    async with openai.AsyncOpenAI(**openai_chat.settings(root, token)) as own:
        async for event in await own.responses.create(**request(question), stream=True):
            take(event, seen, state)
    return finished(seen, state)

"""OpenAI's Chat Completions, embeddings and models."""

import functools
import json

import openai

PACKAGE, VERSION, ERRORS = "openai", openai.__version__, (openai.OpenAIError,)
FINISHES = {"stop": "stop", "length": "length", "tool_calls": "tools"}


def settings(root, token):
    return {"base_url": f"{root}/v1", "api_key": token, "_strict_response_validation": True}


@functools.cache
def client(root, token):
    return openai.OpenAI(**settings(root, token))


def content(turn):
    if not turn.get("images"):
        return turn["text"]
    url = "data:{media_type};base64,{data}".format
    images = [
        {"type": "image_url", "image_url": {"url": url(**image)}} for image in turn["images"]
    ]
    return [{"type": "text", "text": turn["text"]}, *images]


def messages(question):
    if question.get("system"):
        yield {"role": "system", "content": question["system"]}
    for turn in question["turns"]:
        if turn["role"] == "user":
            yield {"role": "user", "content": content(turn)}
        elif turn["role"] == "assistant":
            calls = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])},
                }
                for call in turn.get("calls", [])
            ]
            more = {"tool_calls": calls} if calls else {}
            yield {"role": "assistant", "content": turn.get("text"), **more}
        else:
            for result in turn["results"]:
                yield {"role": "tool", "tool_call_id": result["id"], "content": result["text"]}


def request(question):
    body = {"model": question["model"], "messages": list(messages(question))}
    if "tools" in question:
        body["tools"] = [
            {"type": "function", "function": {"name": tool["name"], "parameters": tool["schema"]}}
            for tool in question["tools"]
        ]
    choice = question.get("choice")
    if choice:
        named = {"type": "function", "function": {"name": choice}}
        body["tool_choice"] = {"any": "required", "none": "none"}.get(choice, named)
    if question.get("one_call"):
        body["parallel_tool_calls"] = False
    if "schema" in question:
        named = {"name": "place", "strict": True, "schema": question["schema"]}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    if question.get("thinking"):
        body["reasoning_effort"] = "low"
    if "max_tokens" in question:
        body["max_completion_tokens"] = question["max_tokens"]
    return body


def usage_of(usage):
    if usage is None:
        return None
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return {
        "input": usage.prompt_tokens,
        "output": usage.completion_tokens,
        "cached": (prompt and prompt.cached_tokens) or 0,
        "reasoning": (completion and completion.reasoning_tokens) or 0,
    }


def whole(root, token, question, _seen):
    return seen_in(client(root, token).chat.completions.create(**request(question)))


def seen_in(completion):
    choice = completion.choices[0]
    return {
        "text": choice.message.content or "",
        "finish": FINISHES.get(choice.finish_reason, choice.finish_reason),
        "thinking": getattr(choice.message, "reasoning_content", None) or "",
        "calls": [
            {"name": call.function.name, "arguments": json.loads(call.function.arguments)}
            for call in choice.message.tool_calls or []
        ],
        "usage": usage_of(completion.usage),
    }


def looped(root, token, question, _seen):
    """Sends the answer back unchanged, with the results of its calls."""
    body = request(question)
    message = client(root, token).chat.completions.create(**body).choices[0].message
    calls = [call.model_dump() for call in message.tool_calls]
    answer = {"role": "assistant", "content": message.content, "tool_calls": calls}
    results = [
        {
            "role": "tool",
            "tool_call_id": call["id"],
            "content": question["results"][call["function"]["name"]],
        }
        for call in calls
    ]
    again = {**body, "messages": [*body["messages"], answer, *results]}
    return seen_in(client(root, token).chat.completions.create(**again))


def take(chunk, seen, calls):
    seen["usage"] = usage_of(chunk.usage) or seen["usage"]
    for choice in chunk.choices:
        seen["text"] += choice.delta.content or ""
        seen["thinking"] += getattr(choice.delta, "reasoning_content", None) or ""
        seen["finish"] = FINISHES.get(choice.finish_reason, choice.finish_reason or seen["finish"])
        for call in choice.delta.tool_calls or []:
            if call.index == len(calls):
                calls.append({"name": call.function.name, "arguments": ""})
            calls[call.index]["arguments"] += call.function.arguments or ""


def streaming(question):
    return {**request(question), "stream": True, "stream_options": {"include_usage": True}}


def begin(seen):
    seen.update(text="", thinking="", finish=None, usage=None, calls=[])


def finished(seen, calls):
    for call in calls:
        call["arguments"] = json.loads(call["arguments"])
    return {**seen, "calls": calls}


def streamed(root, token, question, seen):
    begin(seen)
    calls = []
    for chunk in client(root, token).chat.completions.create(**streaming(question)):
        take(chunk, seen, calls)
    return finished(seen, calls)


async def asynchronous(root, token, question, seen):
    begin(seen)
    calls = []
    async with openai.AsyncOpenAI(**settings(root, token)) as own:
        async for chunk in await own.chat.completions.create(**streaming(question)):
            take(chunk, seen, calls)
    return finished(seen, calls)


def models(root, token, _question, _seen):
    return {"models": sorted(model.id for model in client(root, token).models.list())}


def embed(root, token, question, _seen):
    more = {name: question[name] for name in ("dimensions", "encoding_format") if name in question}
    # In strict mode this SDK rejects the base64 that it requested: it validates before decoding.
    loose = {**settings(root, token), "_strict_response_validation": False}
    answer = openai.OpenAI(**loose).embeddings.create(
        model=question["model"], input=question["texts"], **more
    )
    return {"vectors": [list(item.embedding) for item in answer.data]}

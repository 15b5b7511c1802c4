"""Google's Gemini: content, token counts, embeddings and models."""

import base64
import functools

from google import genai
from google.genai import errors, types

PACKAGE, VERSION, ERRORS = "google-genai", genai.__version__, (errors.APIError,)
FINISHES = {"STOP": "stop", "MAX_TOKENS": "length"}


@functools.cache
def client(root, token):
    return genai.Client(api_key=token, http_options=types.HttpOptions(base_url=root))


def contents(question):
    for turn in question["turns"]:
        if turn["role"] == "user":
            parts = [types.Part.from_text(text=turn["text"])]
            for image in turn.get("images", []):
                data = base64.b64decode(image["data"])
                parts.append(types.Part.from_bytes(data=data, mime_type=image["media_type"]))
            yield types.Content(role="user", parts=parts)
        elif turn["role"] == "assistant":
            parts = [types.Part.from_text(text=turn["text"])] if turn.get("text") else []
            for call in turn.get("calls", []):
                parts.append(types.Part.from_function_call(name=call["name"], args=call["arguments"]))
            yield types.Content(role="model", parts=parts)
        else:
            parts = [
                types.Part.from_function_response(
                    name=result["name"], response={"output": result["text"]}
                )
                for result in turn["results"]
            ]
            yield types.Content(role="user", parts=parts)


def config(question):
    made = {}
    if question.get("system"):
        made["system_instruction"] = question["system"]
    if "tools" in question:
        declarations = [
            {"name": tool["name"], "parameters_json_schema": tool["schema"]}
            for tool in question["tools"]
        ]
        made["tools"] = [{"function_declarations": declarations}]
    choice = question.get("choice")
    if choice:
        named = {"mode": "ANY", "allowed_function_names": [choice]}
        calling = {"any": {"mode": "ANY"}, "none": {"mode": "NONE"}}.get(choice, named)
        made["tool_config"] = {"function_calling_config": calling}
    if "schema" in question:
        made["response_mime_type"] = "application/json"
        made["response_json_schema"] = question["schema"]
    if question.get("thinking"):
        made["thinking_config"] = {"include_thoughts": True, "thinking_budget": 1024}
    if "max_tokens" in question:
        made["max_output_tokens"] = question["max_tokens"]
    return types.GenerateContentConfig(**made)


def begin(seen):
    seen.update(text="", thinking="", finish=None, calls=[], usage=None)
    return seen


def take(response, seen):
    for candidate in response.candidates or []:
        for part in (candidate.content and candidate.content.parts) or []:
            if part.function_call:
                call = part.function_call
                seen["calls"].append({"name": call.name, "arguments": call.args or {}})
            elif part.thought:
                seen["thinking"] += part.text or ""
            else:
                seen["text"] += part.text or ""
        if candidate.finish_reason:
            reason = candidate.finish_reason.value
            seen["finish"] = FINISHES.get(reason, reason)
    usage = response.usage_metadata
    if usage and usage.candidates_token_count is not None:
        thoughts = usage.thoughts_token_count or 0
        seen["usage"] = {
            "input": usage.prompt_token_count,
            "output": usage.candidates_token_count + thoughts,
            "cached": usage.cached_content_token_count or 0,
            "reasoning": thoughts,
        }


def finished(seen):
    """Gemini also reports STOP when it makes calls."""
    calling = seen["calls"] and seen["finish"] == "stop"
    return {**seen, "finish": "tools" if calling else seen["finish"]}


def arguments(question):
    return {
        "model": question["model"],
        "contents": list(contents(question)),
        "config": config(question),
    }


def whole(root, token, question, seen):
    take(client(root, token).models.generate_content(**arguments(question)), begin(seen))
    return finished(seen)


def looped(root, token, question, seen):
    """Sends the answer's content back unchanged, signatures included, with the results."""
    body = arguments(question)
    answer = client(root, token).models.generate_content(**body).candidates[0].content
    results = [
        types.Part(
            function_response=types.FunctionResponse(
                id=part.function_call.id,
                name=part.function_call.name,
                response={"output": question["results"][part.function_call.name]},
            )
        )
        for part in answer.parts
        if part.function_call
    ]
    told = types.Content(role="user", parts=results)
    again = {**body, "contents": [*body["contents"], answer, told]}
    take(client(root, token).models.generate_content(**again), begin(seen))
    return finished(seen)


def streamed(root, token, question, seen):
    begin(seen)
    for chunk in client(root, token).models.generate_content_stream(**arguments(question)):
        take(chunk, seen)
    return finished(seen)


async def asynchronous(root, token, question, seen):
    begin(seen)
    own = genai.Client(api_key=token, http_options=types.HttpOptions(base_url=root))
    async for chunk in await own.aio.models.generate_content_stream(**arguments(question)):
        take(chunk, seen)
    return finished(seen)


def count(root, token, question, _seen):
    asking = client(root, token).models
    answer = asking.count_tokens(model=question["model"], contents=list(contents(question)))
    return {"count": answer.total_tokens}


def models(root, token, _question, _seen):
    return {"models": sorted(model.name for model in client(root, token).models.list())}


def embed(root, token, question, _seen):
    made = {}
    if "dimensions" in question:
        made["output_dimensionality"] = question["dimensions"]
    answer = client(root, token).models.embed_content(
        model=question["model"],
        contents=question["texts"],
        config=types.EmbedContentConfig(**made),
    )
    return {"vectors": [list(item.values) for item in answer.embeddings]}

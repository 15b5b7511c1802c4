"""Sends the requests on standard input to the gateway with OpenAI's Python SDK, and prints the results.

sdk.rs defines the requests once for both SDKs; this file only calls the SDK.
"""

import json
import sys

import openai


def call_of(call):
    return {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}


def usage_of(usage):
    return usage and [usage.prompt_tokens, usage.completion_tokens]


def seen_in(completion):
    choice = completion.choices[0]
    return {
        "text": choice.message.content,
        "finish": choice.finish_reason,
        "calls": [call_of(call) for call in choice.message.tool_calls or []],
        "usage": usage_of(completion.usage),
        "model": completion.model,
    }


def gatehouse(headers):
    return {name: value for name, value in headers.items() if name.startswith("x-gatehouse-")}


def whole(client, request, _seen):
    answer = client.chat.completions.with_raw_response.create(**request)
    return {**seen_in(answer.parse()), "headers": gatehouse(answer.headers)}


def streamed(client, request, seen):
    answer = client.chat.completions.with_raw_response.create(**request)
    seen.update(text="", finish=None, calls=[], usage=None, pieces=0)
    seen["headers"] = gatehouse(answer.headers)
    for chunk in answer.parse():
        seen["model"] = chunk.model
        seen["usage"] = usage_of(chunk.usage) or seen["usage"]
        for choice in chunk.choices:
            seen["pieces"] += 1
            seen["text"] += choice.delta.content or ""
            seen["finish"] = choice.finish_reason or seen["finish"]
            for call in choice.delta.tool_calls or []:
                if call.index == len(seen["calls"]):
                    seen["calls"].append(call_of(call))
                else:
                    seen["calls"][call.index]["arguments"] += call.function.arguments
    return seen


def helped(client, request, _seen):
    with client.chat.completions.stream(**request) as stream:
        return seen_in(stream.get_final_completion())


def models(client, _request, _seen):
    return {"models": sorted(model.id for model in client.models.list())}


WAYS = {"whole": whole, "streamed": streamed, "helped": helped, "models": models}


def ask(client, question):
    seen = {}
    try:
        return WAYS[question["way"]](client, question["request"], seen)
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises is what is asked for
        raised = {"class": type(error).__name__, "message": str(error)}
        raised["is_openai_error"] = isinstance(error, openai.OpenAIError)
        raised["status"] = getattr(error, "status_code", None)
        raised["code"] = getattr(error, "code", None)
        return {**seen, "raised": raised}


def main():
    asked = json.load(sys.stdin)
    client = openai.OpenAI(base_url=asked["base_url"], api_key=asked["token"])
    answers = {question["name"]: ask(client, question) for question in asked["questions"]}
    json.dump({"version": openai.__version__, "answers": answers}, sys.stdout)


main()

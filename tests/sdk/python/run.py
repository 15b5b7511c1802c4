"""Sends requests to the gateway through the vendors' Python SDKs, and prints the results.

Standard input has the gateway's address and the requests; tests/sdk defines them once for all SDKs
in a dialect-independent form. Each module here calls one SDK and converts its results into a common
form: text, finish, calls, thinking, usage, or the raised error.
"""

import asyncio
import inspect
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import anthropic_messages
import google_gemini
import openai_chat
import openai_responses

SURFACES = {
    "openai-chat": openai_chat,
    "openai-responses": openai_responses,
    "anthropic-messages": anthropic_messages,
    "gemini": google_gemini,
}


# Several at once, so that an SDK that waits before a retry does not delay the others.
AT_ONCE = 8


def put(asked, question):
    surface = SURFACES[question["surface"]]
    seen = {}
    try:
        way = getattr(surface, question["way"])
        answer = way(asked["root"], asked["token"], question, seen)
        return asyncio.run(answer) if inspect.isawaitable(answer) else answer
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises is what is asked for
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        raised = {
            "class": type(error).__name__,
            "message": str(error),
            "vendors": isinstance(error, surface.ERRORS),
            "status": status if isinstance(status, int) else None,
        }
        return {**seen, "raised": raised}


def main():
    asked = json.load(sys.stdin)
    questions = asked["questions"]
    for surface in (openai_chat, anthropic_messages, google_gemini):
        # Created before the threads start, so that each exists once: a dropped client closes itself.
        surface.client(asked["root"], asked["token"])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        seen = pool.map(lambda question: put(asked, question), questions)
        answers = {question["name"]: each for question, each in zip(questions, seen)}
    versions = {surface.PACKAGE: surface.VERSION for surface in SURFACES.values()}
    json.dump({"versions": versions, "answers": answers}, sys.stdout)


main()

"""Puts questions to the gateway through the vendors' Python SDKs, and prints what came of them.

Standard input says where the gateway is and what to ask; the questions stand in tests/sdk, once for
all SDKs and without any dialect. Each module here knows how one SDK is called, and brings what it
answered into one form: text, finish, calls, thinking, usage, or what was raised.
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


# Some SDKs wait before they ask again; the others need not wait for them.
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
        # Made once and kept, before threads could make two: one that is let go closes itself.
        surface.client(asked["root"], asked["token"])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        seen = pool.map(lambda question: put(asked, question), questions)
        answers = {question["name"]: each for question, each in zip(questions, seen)}
    versions = {surface.PACKAGE: surface.VERSION for surface in SURFACES.values()}
    json.dump({"versions": versions, "answers": answers}, sys.stdout)


main()

"""Three models answer at the same time, word by word: .venv/bin/python examples/stream.py"""

import asyncio

import litellm

QUESTION = [{"role": "user", "content": "What is a gateway?"}]


async def ask(model):
    text = ""
    try:
        async for chunk in await litellm.acompletion(model, QUESTION, stream=True, timeout=5, num_retries=0):
            text += chunk.choices[0].delta.content or ""
    except litellm.APIConnectionError as error:  # mock/cut breaks off; what came before is not lost
        return f"{model} broke off after: {error.partial}"
    return f"{model}: {text}"


async def main():
    for answer in await asyncio.gather(ask("mock/chat"), ask("mock/echo"), ask("mock/cut")):
        print(answer)


asyncio.run(main())

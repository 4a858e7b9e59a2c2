"""A provider of your own: answers with the question's words in reverse. custom.yaml puts it behind the gateway.

Run this file to use it from Python: .venv/bin/python examples/custom_handler.py
"""

import litellm
from litellm import CustomLLM, CustomLLMError, GenericStreamingChunk


def reversed_words(messages):
    if not isinstance(messages[-1]["content"], str):
        raise CustomLLMError(status_code=400, message="this model reads text only")
    return messages[-1]["content"].split()[::-1]


class Backwards(CustomLLM):
    async def acompletion(self, *, messages, model_response, **kwargs):
        model_response.choices[0].message.content = " ".join(reversed_words(messages))
        return model_response

    async def astreaming(self, *, messages, **kwargs):
        for word in reversed_words(messages):
            yield GenericStreamingChunk(text=f"{word} ", is_finished=False, finish_reason=None)
        yield GenericStreamingChunk(text="", is_finished=True, finish_reason="stop")


backwards = Backwards()  # what custom.yaml names

if __name__ == "__main__":
    litellm.custom_provider_map = [{"provider": "backwards", "custom_handler": backwards}]
    question = [{"role": "user", "content": "you are how"}]
    print(litellm.completion("backwards/any", question).choices[0].message.content)
    for chunk in litellm.completion("backwards/any", question, stream=True):
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()

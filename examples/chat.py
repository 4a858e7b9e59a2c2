"""A conversation of two questions: .venv/bin/python examples/chat.py [model]

Without a model, one answers that only repeats: mock/echo.
"""

import sys

import litellm

model = sys.argv[1] if len(sys.argv) > 1 else "mock/echo"
messages = [{"role": "system", "content": "Answer in one sentence."}]

for question in ("What is a gateway?", "And who needs one?"):
    messages.append({"role": "user", "content": question})
    try:
        response = litellm.completion(model, messages, timeout=30, num_retries=1)
    except litellm.AuthenticationError as error:
        sys.exit(f"No key for {model}: {error.message}")
    answer = response.choices[0].message.content
    messages.append({"role": "assistant", "content": answer})
    print(f"> {question}\n{answer}\n")

"""What scripts/run does: start the proxy on a mock model, show one plain and one streamed answer, keep serving."""

import argparse
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

CONFIG = Path(__file__).resolve().parent.parent / "examples" / "mock.yaml"
QUESTION = "What are you?"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", default=4000, type=int)
    arguments.add_argument("--once", action="store_true", help="stop after showing the two answers")
    options = arguments.parse_args()
    url = f"http://127.0.0.1:{options.port}"
    command = [sys.executable, "-m", "litellm.cli.run", "--config", str(CONFIG), "--port", str(options.port)]
    server = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        if not ready(url, server):
            return server.wait()
        show(url)
        if not options.once:
            invite(url)
            return server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.terminate()
        server.wait()
    return 0


def ready(url: str, server: subprocess.Popen[bytes]) -> bool:
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/health/liveliness").close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return True
    return False


def ask(url: str, *, stream: bool) -> urllib.request.Request:
    body = {"model": "my-model", "stream": stream, "messages": [{"role": "user", "content": QUESTION}]}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer sk-1234"}
    return urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)


def show(url: str) -> None:
    with urllib.request.urlopen(ask(url, stream=False)) as reply:
        print("\nplain answer:   ", json.load(reply)["choices"][0]["message"]["content"])
    print("streamed answer: ", end="", flush=True)
    with urllib.request.urlopen(ask(url, stream=True)) as reply:
        for line in reply:
            if line.startswith(b"data: {"):
                print(json.loads(line[6:])["choices"][0]["delta"].get("content", ""), end="", flush=True)
    print()


def invite(url: str) -> None:
    body = json.dumps({"model": "my-model", "messages": [{"role": "user", "content": QUESTION}]})
    print(f"""
Serving on {url} until Ctrl-C. Try it from another terminal:

curl {url}/chat/completions -H 'Authorization: Bearer sk-1234' -H 'Content-Type: application/json' -d '{body}'

or with the OpenAI client:

from openai import OpenAI
client = OpenAI(api_key="sk-1234", base_url="{url}")
print(client.chat.completions.create(model="my-model", messages=[{{"role": "user", "content": "{QUESTION}"}}]))
""", flush=True)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

import openai
client = openai.OpenAI(
    api_key="sk-1234",
    base_url="http://0.0.0.0:4000"
)

# request sent to model set on litellm proxy, `litellm --model`
response = client.chat.completions.create(model="gpt-3.5-turbo", messages = [
    {
        "role": "user",
        "content": "this is a test request, write a short poem"
    }
],
    extra_body={
        "api_key": "my-azure-key",
        "api_base": "my-azure-base",
        "api_version": "my-azure-version"
    }) # 👈 User Key

print(response)

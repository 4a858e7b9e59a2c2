"""The rows, alphabetically. A new OpenAI-compatible provider is one line here; docs/providers.md is made from it.

Where the facts come from: each vendor's API documentation, as gathered for this project in 2026
in tests/data/providers.json.
"""

from __future__ import annotations

from collections.abc import Mapping

from litellm.providers.auth.scheme import bearer, key_header
from litellm.providers.rows import azure_row as _azure
from litellm.providers.rows import completions_row as _both
from litellm.providers.rows import openai_row as _openai
from litellm.providers.spec import ByModel, Provider
from litellm.wire.quirks import Quirks

_MAX_TOKENS = Quirks(rename={"max_completion_tokens": "max_tokens"})
_FLAT = Quirks(flatten_text_parts=True)
_OPENAI_NAMES = (
    "gpt-*", "chatgpt-*", "o1", "o1-*", "o3", "o3-*", "o4-*", "ft:gpt-*", "codex-*", "computer-use-*", "text-embedding-*",
    "text-moderation-*", "omni-moderation-*", "davinci-*", "babbage-*", "dall-e-*", "tts-*", "whisper-*", "sora-*",
)  # fmt: skip


ROWS: tuple[Provider, ...] = (
    _openai("abliteration", "https://api.abliteration.ai/v1", key="ABLITERATION_API_KEY"),
    _openai(
        "ai21_chat",
        "https://api.ai21.com/studio/v1",
        key="AI21_API_KEY",
        base_env="AI21_API_BASE",
        aliases=("ai21",),
        names=("jamba-*",),
    ),
    _openai("aihubmix", "https://aihubmix.com/v1", key="AIHUBMIX_API_KEY", base_env="AIHUBMIX_API_BASE"),
    _openai("aiml", "https://api.aimlapi.com/v1", key="AIML_API_KEY", base_env="AIML_API_BASE"),
    _both("aiohttp_openai", "https://api.openai.com/v1", key="OPENAI_API_KEY", developer_role=True),
    _openai(
        "amazon_nova", "https://api.nova.amazon.com/v1", key="AMAZON_NOVA_API_KEY", base_env="AMAZON_NOVA_API_BASE"
    ),
    _openai("anyscale", "https://api.endpoints.anyscale.com/v1", key="ANYSCALE_API_KEY", base_env="ANYSCALE_API_BASE"),
    _both("apertis", "https://api.stima.tech/v1", key="STIMA_API_KEY", quirks=_MAX_TOKENS),
    _openai("assemblyai", "https://llm-gateway.assemblyai.com/v1", key="ASSEMBLYAI_API_KEY"),
    _azure("azure", ("openai_chat", "openai_embeddings")),
    _openai(
        "azure_ai",
        None,
        key="AZURE_AI_API_KEY",
        base_env="AZURE_AI_API_BASE",
        auth=key_header("api-key", only_hosts=("*.services.ai.azure.com",)),
    ),
    _azure("azure_text", ("openai_text",)),
    _openai(
        "baseten",
        "https://inference.baseten.co/v1",
        key="BASETEN_API_KEY",
        base_env="BASETEN_API_BASE",
        by_model=(ByModel(r"[a-z0-9]{8}", base=r"https://model-\g<0>.api.baseten.co/environments/production/sync/v1"),),
    ),
    _openai(
        "bedrock_mantle",
        "https://bedrock-mantle.{region}.api.aws/v1",
        key="BEDROCK_MANTLE_API_KEY",
        base_env="BEDROCK_MANTLE_API_BASE",
        variables={"region": ("BEDROCK_MANTLE_REGION", "AWS_REGION_NAME", "AWS_REGION")},
    ),
    _openai("cerebras", "https://api.cerebras.ai/v1", key="CEREBRAS_API_KEY", base_env="CEREBRAS_API_BASE"),
    _openai(
        "charity_engine",
        "https://api.charityengine.services/remotejobs/v2/inference",
        key="CHARITY_ENGINE_API_KEY",
        quirks=_MAX_TOKENS,
    ),
    _openai(
        "chatgpt",
        "https://chatgpt.com/backend-api/codex",
        base_env="CHATGPT_API_BASE",
        login="an OAuth login, and only for the Responses API",
    ),
    _both("chutes", "https://llm.chutes.ai/v1/", key="CHUTES_API_KEY", quirks=_MAX_TOKENS),
    _openai("clarifai", "https://api.clarifai.com/v2/ext/openai/v1", key=("CLARIFAI_API_KEY", "CLARIFAI_PAT")),
    _openai(
        "codestral",
        "https://codestral.mistral.ai/v1",
        key="CODESTRAL_API_KEY",
        base_env="CODESTRAL_API_BASE",
        names=("codestral-*",),
    ),
    _openai("cognition", "https://api.cognition.ai/v1", key="COGNITION_API_KEY", base_env="COGNITION_API_BASE"),
    _openai("cometapi", "https://api.cometapi.com/v1", key="COMETAPI_KEY", base_env="COMETAPI_API_BASE"),
    _openai("compactifai", "https://api.compactif.ai/v1", key="COMPACTIFAI_API_KEY"),
    _openai("cortecs", "https://api.cortecs.ai/v1", key="CORTECS_API_KEY", base_env="CORTECS_API_BASE"),
    _openai(
        "crusoe",
        "https://managed-inference-api-proxy.crusoecloud.com/v1",
        key="CRUSOE_API_KEY",
        base_env="CRUSOE_API_BASE",
        quirks=_MAX_TOKENS,
    ),
    _both("custom_openai", None, key="OPENAI_API_KEY", openai=True, developer_role=True),
    _openai(
        "darkbloom",
        "https://api.darkbloom.dev/v1",
        key="DARKBLOOM_API_KEY",
        base_env="DARKBLOOM_API_BASE",
        quirks=_MAX_TOKENS,
    ),
    _both(
        "dashscope",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        key="DASHSCOPE_API_KEY",
        base_env="DASHSCOPE_API_BASE",
    ),
    _openai("databricks", None, key=("DATABRICKS_API_KEY", "DATABRICKS_TOKEN"), base_env="DATABRICKS_API_BASE"),
    _openai(
        "datarobot",
        "https://app.datarobot.com",
        key="DATAROBOT_API_TOKEN",
        base_env="DATAROBOT_ENDPOINT",
        key_optional=True,
        prefix="/genai/llmgw",
    ),
    _openai("deepinfra", "https://api.deepinfra.com/v1/openai", key="DEEPINFRA_API_KEY", base_env="DEEPINFRA_API_BASE"),
    _openai(
        "deepseek",
        "https://api.deepseek.com/beta",
        key="DEEPSEEK_API_KEY",
        base_env="DEEPSEEK_API_BASE",
        quirks=_FLAT,
        names=("deepseek-chat", "deepseek-reasoner"),
    ),
    _both(
        "docker_model_runner",
        "http://localhost:22088/engines/llama.cpp",
        key="DOCKER_MODEL_RUNNER_API_KEY",
        base_env="DOCKER_MODEL_RUNNER_API_BASE",
        key_optional=True,
        prefix="/v1",
    ),
    _openai("edenai", "https://api.edenai.run/v3", key="EDENAI_API_KEY", base_env="EDENAI_API_BASE"),
    _openai(
        "empiriolabs",
        "https://api.empiriolabs.ai/v1",
        key="EMPIRIOLABS_API_KEY",
        base_env="EMPIRIOLABS_API_BASE",
        quirks=_MAX_TOKENS,
    ),
    _openai("empower", "https://app.empower.dev/api/v1", key="EMPOWER_API_KEY", base_env="EMPOWER_API_BASE"),
    _both(
        "featherless_ai",
        "https://api.featherless.ai/v1",
        key=("FEATHERLESS_AI_API_KEY", "FEATHERLESS_API_KEY"),
        base_env=("FEATHERLESS_AI_API_BASE", "FEATHERLESS_API_BASE"),
    ),
    _both(
        "fireworks_ai",
        "https://api.fireworks.ai/inference/v1",
        key=("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"),
        base_env="FIREWORKS_API_BASE",
        by_model=(ByModel(r"[^/#]+", model=r"accounts/fireworks/models/\g<0>"),),
    ),
    _openai(
        "friendliai",
        "https://api.friendli.ai/serverless/v1",
        key=("FRIENDLIAI_API_KEY", "FRIENDLI_TOKEN"),
        base_env="FRIENDLI_API_BASE",
    ),
    _openai("galadriel", "https://api.galadriel.com/v1", key="GALADRIEL_API_KEY", base_env="GALADRIEL_API_BASE"),
    _openai(
        "gigachat",
        "https://gigachat.devices.sberbank.ru/api/v1",
        key="GIGACHAT_API_KEY",
        base_env="GIGACHAT_API_BASE",
        login="an OAuth exchange of its own",
    ),
    _openai("github", "https://models.inference.ai.azure.com", key="GITHUB_API_KEY", base_env="GITHUB_API_BASE"),
    _openai(
        "github_copilot",
        "https://api.githubcopilot.com",
        base_env="GITHUB_COPILOT_API_BASE",
        login="an OAuth device login",
    ),
    _openai("gmi", "https://api.gmi-serving.com/v1", key="GMI_API_KEY"),
    _openai(
        "gradient_ai",
        "https://inference.do-ai.run",
        key="GRADIENT_AI_API_KEY",
        base_env="GRADIENT_AI_AGENT_ENDPOINT",
        prefix="/v1",
    ),
    _openai(
        "groq",
        "https://api.groq.com/openai/v1",
        key="GROQ_API_KEY",
        base_env="GROQ_API_BASE",
        unsupported=("logit_bias", "logprobs", "top_logprobs"),
        quirks=Quirks(drop_message_fields=("name",)),
    ),
    _openai("helicone", "https://ai-gateway.helicone.ai/", key="HELICONE_API_KEY"),
    _openai("heroku", None, key="HEROKU_API_KEY", base_env="HEROKU_API_BASE", prefix="/v1"),
    _both("hosted_vllm", None, key="HOSTED_VLLM_API_KEY", base_env="HOSTED_VLLM_API_BASE", key_optional=True),
    _openai(
        "huggingface",
        "https://router.huggingface.co",
        key=("HF_TOKEN", "HUGGINGFACE_API_KEY"),
        prefix="/v1",
    ),
    _both("hyperbolic", "https://api.hyperbolic.xyz/v1", key="HYPERBOLIC_API_KEY", base_env="HYPERBOLIC_API_BASE"),
    _openai("inception", "https://api.inceptionlabs.ai/v1", key="INCEPTION_API_KEY", base_env="INCEPTION_API_BASE"),
    _openai(
        "jina_ai",
        "https://api.jina.ai/v1",
        key=("JINA_AI_API_KEY", "JINA_API_KEY", "JINA_AI_TOKEN"),
        base_env="JINA_AI_API_BASE",
    ),
    _both("lambda_ai", "https://api.lambda.ai/v1", key="LAMBDA_API_KEY", base_env="LAMBDA_API_BASE"),
    _both(
        "lemonade",
        "http://localhost:8000/api/v1",
        key="LEMONADE_API_KEY",
        base_env="LEMONADE_API_BASE",
        key_optional=True,
    ),
    _openai(
        "libertai",
        "https://api.libertai.io/v1",
        key="LIBERTAI_API_KEY",
        base_env="LIBERTAI_API_BASE",
        quirks=_MAX_TOKENS,
    ),
    _both("litellm_proxy", None, key="LITELLM_PROXY_API_KEY", base_env="LITELLM_PROXY_API_BASE", developer_role=True),
    _both(
        "llamafile",
        "http://127.0.0.1:8080/v1",
        key="LLAMAFILE_API_KEY",
        base_env="LLAMAFILE_API_BASE",
        key_optional=True,
    ),
    _openai("llamagate", "https://api.llamagate.dev/v1", key="LLAMAGATE_API_KEY", quirks=_MAX_TOKENS),
    _both("lm_studio", None, key="LM_STUDIO_API_KEY", base_env="LM_STUDIO_API_BASE", key_optional=True),
    _openai("manus", "https://api.manus.im", key="MANUS_API_KEY", base_env="MANUS_API_BASE"),
    _openai("meta", "https://api.meta.ai/v1", key="META_API_KEY", base_env="META_API_BASE"),
    _both("meta_llama", "https://api.llama.com/compat/v1", key="LLAMA_API_KEY", base_env="LLAMA_API_BASE"),
    _openai("minimax", "https://api.minimax.io/v1", key="MINIMAX_API_KEY", base_env="MINIMAX_API_BASE"),
    _openai(
        "mistral",
        "https://api.mistral.ai/v1",
        key=("MISTRAL_AZURE_API_KEY", "MISTRAL_API_KEY"),
        base_env="MISTRAL_AZURE_API_BASE",
        base_suffix="/v1",
        quirks=Quirks(rename={"max_completion_tokens": "max_tokens", "seed": "random_seed"}),
        names=("mistral-*", "open-mistral-*", "open-mixtral-*", "ministral-*", "pixtral-*", "magistral-*"),
    ),
    _both("mock", "mock://mock/v1", key_optional=True, developer_role=True, status="tested"),
    _both(
        "modelscope", "https://api-inference.modelscope.cn/v1", key="MODELSCOPE_API_KEY", base_env="MODELSCOPE_API_BASE"
    ),
    _both(
        "moonshot",
        "https://api.moonshot.ai/v1",
        key="MOONSHOT_API_KEY",
        base_env="MOONSHOT_API_BASE",
        quirks=Quirks(flatten_text_parts=True, clamp={"temperature": 1.0}),
        names=("moonshot-*", "kimi-*"),
    ),
    _openai("morph", "https://api.morphllm.com/v1", key="MORPH_API_KEY", base_env="MORPH_API_BASE"),
    _openai(
        "nadir", "https://api.getnadir.com/v1", key="NADIR_API_KEY", base_env="NADIR_API_BASE", key_stays_home=True
    ),
    _both("nano-gpt", "https://nano-gpt.com/api/v1", key="NANOGPT_API_KEY", quirks=_MAX_TOKENS),
    _both("nebius", "https://api.studio.nebius.ai/v1", key="NEBIUS_API_KEY", base_env="NEBIUS_API_BASE"),
    _openai(
        "neosantara",
        "https://api.neosantara.xyz/v1",
        key="NEOSANTARA_API_KEY",
        base_env="NEOSANTARA_API_BASE",
        quirks=_MAX_TOKENS,
    ),
    _openai("novita", "https://api.novita.ai/v3/openai", key="NOVITA_API_KEY", base_env="NOVITA_API_BASE"),
    _openai("nscale", "https://inference.api.nscale.com/v1", key="NSCALE_API_KEY", base_env="NSCALE_API_BASE"),
    _openai(
        "nvidia_nim", "https://integrate.api.nvidia.com/v1", key="NVIDIA_NIM_API_KEY", base_env="NVIDIA_NIM_API_BASE"
    ),
    _both(
        "openai",
        "https://api.openai.com/v1",
        key="OPENAI_API_KEY",
        base_env=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        names=_OPENAI_NAMES,
        openai=True,
        developer_role=True,
    ),
    _both("openai_like", None, key="OPENAI_LIKE_API_KEY", base_env="OPENAI_LIKE_API_BASE", developer_role=True),
    _openai(
        "openrouter",
        "https://openrouter.ai/api/v1",
        key=("OPENROUTER_API_KEY", "OR_API_KEY"),
        base_env="OPENROUTER_API_BASE",
        env_headers={"HTTP-Referer": "OR_SITE_URL", "X-Title": "OR_APP_NAME"},
    ),
    _openai(
        "ovhcloud",
        "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1",
        key="OVHCLOUD_API_KEY",
        base_env="OVHCLOUD_API_BASE",
    ),
    _openai(
        "parasail",
        "https://api.parasail.io/v1",
        key="PARASAIL_API_KEY",
        base_env="PARASAIL_API_BASE",
        quirks=Quirks(force={"store": False}),
    ),
    _openai(
        "perplexity",
        "https://api.perplexity.ai",
        key=("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
        base_env="PERPLEXITY_API_BASE",
        names=("sonar", "sonar-*"),
    ),
    _openai(
        "pinstripes",
        "https://pinstripes.io/v1",
        key="PINSTRIPES_API_KEY",
        base_env="PINSTRIPES_API_BASE",
        quirks=_MAX_TOKENS,
    ),
    _both("poe", "https://api.poe.com/v1", key="POE_API_KEY", quirks=_MAX_TOKENS),
    _openai("prism", "https://api.prisminference.com/v1", key="PRISM_API_KEY", base_env="PRISM_API_BASE"),
    _both(
        "publicai",
        "https://api.publicai.co/v1",
        key="PUBLICAI_API_KEY",
        base_env="PUBLICAI_API_BASE",
        quirks=Quirks(rename={"max_completion_tokens": "max_tokens"}, flatten_text_parts=True),
    ),
    _openai(
        "qwen_ai_platform",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        key=("QWEN_AI_PLATFORM_API_KEY", "DASHSCOPE_API_KEY"),
        base_env="QWEN_AI_PLATFORM_API_BASE",
    ),
    _both(
        "qwencloud",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        key=("QWENCLOUD_API_KEY", "DASHSCOPE_API_KEY"),
        base_env="QWENCLOUD_API_BASE",
    ),
    _openai(
        "ragflow",
        None,
        key="RAGFLOW_API_KEY",
        base_env="RAGFLOW_API_BASE",
        by_model=(
            ByModel(
                r"(?P<kind>chat|agent)/(?P<id>[^/]+)/(?P<name>.+)",
                prefix=r"/api/v1/\g<kind>s_openai/\g<id>",
                model=r"\g<name>",
            ),
        ),
    ),
    _openai("reka", "https://api.reka.ai/v1", key="REKA_API_KEY", base_env="REKA_API_BASE"),
    _openai("sail", "https://api.sailresearch.com/v1", key="SAIL_API_KEY", base_env="SAIL_API_BASE"),
    _openai("sambanova", "https://api.sambanova.ai/v1", key="SAMBANOVA_API_KEY", base_env="SAMBANOVA_API_BASE"),
    _openai(
        "sarvam",
        "https://api.sarvam.ai/v1",
        key="SARVAM_API_KEY",
        auth=bearer(**{"api-subscription-key": "{key}"}),
        quirks=_MAX_TOKENS,
    ),
    _openai("scaleway", "https://api.scaleway.ai/v1", key="SCW_SECRET_KEY"),
    _openai(
        "scx-ai",
        "https://api.scx.ai/v1",
        key="SCX_API_KEY",
        base_env="SCX_API_BASE",
        quirks=Quirks(rename={"max_completion_tokens": "max_tokens"}, clamp={"temperature": 1.99}),
    ),
    _openai(
        "snowflake",
        "https://{SNOWFLAKE_ACCOUNT_ID}.snowflakecomputing.com/api/v2",
        key="SNOWFLAKE_JWT",
        prefix="/cortex/v1",
        auth=bearer(**{"X-Snowflake-Authorization-Token-Type": "KEYPAIR_JWT"}),
        variables={"SNOWFLAKE_ACCOUNT_ID": ("SNOWFLAKE_ACCOUNT_ID",)},
    ),
    _both("synthetic", "https://api.synthetic.new/openai/v1", key="SYNTHETIC_API_KEY", quirks=_MAX_TOKENS),
    _openai(
        "tencent", "https://tokenhub-intl.tencentcloudmaas.com/v1", key="TENCENT_API_KEY", base_env="TENCENT_API_BASE"
    ),
    _both(
        "tensormesh",
        "https://serverless.tensormesh.ai/v1",
        key="TENSORMESH_INFERENCE_API_KEY",
        base_env="TENSORMESH_SERVERLESS_BASE_URL",
        quirks=_MAX_TOKENS,
    ),
    _openai(
        "text-completion-openai",
        "https://api.openai.com/v1",
        dialects=("openai_text",),
        key="OPENAI_API_KEY",
        base_env=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        openai=True,
        developer_role=True,
    ),
    _both(
        "together_ai",
        "https://api.together.ai/v1",
        key=("TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN"),
        base_env="TOGETHER_AI_API_BASE",
    ),
    _both("v0", "https://api.v0.dev/v1", key="V0_API_KEY", base_env="V0_API_BASE"),
    _openai("veniceai", "https://api.venice.ai/api/v1", key="VENICE_AI_API_KEY"),
    _openai(
        "vercel_ai_gateway",
        "https://ai-gateway.vercel.sh/v1",
        key=("VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"),
        base_env="VERCEL_AI_GATEWAY_API_BASE",
    ),
    _openai(
        "volcengine",
        "https://ark.cn-beijing.volces.com/api/v3",
        key="VOLCENGINE_API_KEY",
        base_env="VOLCENGINE_API_BASE",
    ),
    _both("wandb", "https://api.inference.wandb.ai/v1", key="WANDB_API_KEY", base_env="WANDB_API_BASE"),
    _openai("xai", "https://api.x.ai/v1", key="XAI_API_KEY", base_env="XAI_API_BASE", names=("grok-*",)),
    _openai("xiaomi_mimo", "https://api.xiaomimimo.com/v1", key="XIAOMI_MIMO_API_KEY", quirks=_MAX_TOKENS),
    _both(
        "xinference",
        "http://127.0.0.1:9997/v1",
        key="XINFERENCE_API_KEY",
        base_env="XINFERENCE_API_BASE",
        key_optional=True,
    ),
    _openai("zai", "https://api.z.ai/api/paas/v4", key="ZAI_API_KEY", base_env="ZAI_API_BASE"),
)

BY_NAME: Mapping[str, Provider] = {name: row for row in ROWS for name in (row.name, *row.aliases)}

# LiteLLM's other providers, which speak formats that are not built yet: a clear error instead of a wrong guess.
NOT_YET: frozenset[str] = frozenset({
    "anthropic", "bedrock", "cloudflare", "cohere", "cohere_chat", "gemini", "maritalk", "nlp_cloud",
    "ollama", "ollama_chat", "oobabooga", "palm", "petals", "predibase", "replicate", "sagemaker", "sagemaker_chat",
    "text-completion-codestral", "triton", "vertex_ai", "vertex_ai_beta", "voyage", "watsonx", "watsonx_text",
})  # fmt: skip

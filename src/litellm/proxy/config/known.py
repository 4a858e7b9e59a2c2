"""LiteLLM's settings that this release knows of and does not act on, as data.

`IGNORED` may be left out without harm: no access, money or safety net depends on them, so a config may keep them and
gets warnings. `REFUSED` may not: ignoring one would open access, spend money, drop a limit or a check, or send
requests elsewhere, so nothing starts with it. Supporting a key means moving it from here to `schema.py`.

Sections are named by their path without list indices: "" is the top level, "model_list" one deployment. A `*` at the
end of a name stands for any ending.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final, Literal


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


IGNORED: Final = {
    "": _names("""
        assistant_settings callback_settings credential_list default_vertex_config files_settings finetune_settings
        mcp_servers mcp_tools prompts sandbox_tools search_tools vector_store_registry
    """),
    "litellm_settings": _names("""
        AZURE_DEFAULT_API_VERSION add_function_to_prompt anthropic_key api_key api_version azure_key
        budget_exceeded_status_code cache cache_params cohere_key credential_list disable_aiohttp_transport
        disable_hf_tokenizer_download disable_stop_sequence_limit disable_token_counter
        enable_json_schema_validation forward_traceparent_to_llm_provider groq_key
        key_management_system langfuse_default_tags log_raw_request_response model_alias_map model_cost
        model_group_settings modify_params openai_key public_model_groups redact_messages_in_exceptions
        redact_user_api_key_info return_response_headers service_callback suppress_debug_info
        vertex_location vertex_project
    """),
    "router_settings": _names("""
        alerting_config assistants_config cache_kwargs cache_responses caching_groups client_ttl debug_level
        default_priority deployment_affinity_ttl_seconds enable_health_check_routing enable_weighted_failover
        ignore_invalid_deployments model_group_affinity_config polling_interval redis_db redis_host redis_password
        redis_port redis_url router_general_settings routing_groups search_tools set_verbose tag_routing_prefix
    """),
    # The last two lines are about doors that this release does not have, or that stay closed without them.
    "general_settings": _names("""
        alert_to_webhook_url alert_types alerting alerting_args alerting_threshold allow_requests_on_db_unavailable
        always_include_stream_usage background_health_checks database_connection_pool_limit database_connection_timeout
        disable_error_logs disable_fallbacks_on* disable_master_key_return
        disable_retry_on_max_parallel_request_limit_error disable_spend_logs embedding_model
        forward_client_headers_to_llm_api forward_openai_org_id health_check_details health_check_interval
        image_generation_model infer_model_from_keys key_management_settings key_management_system
        litellm_key_header_name maximum_spend_logs_retention_interval maximum_spend_logs_retention_period mcp_*
        moderation_model proxy_batch_write_at proxy_budget_rescheduler_max_time proxy_budget_rescheduler_min_time
        spend_report_frequency store_model_in_db store_prompts_in_spend_logs supported_db_objects
        use_google_kms use_shared_health_check use_x_forwarded_for user_header_mappings user_header_name
        dangerously_allow_mock_testing_request_params dangerously_permit_weak_or_unset_master_key
        pass_through_endpoints public_routes ui_access_mode
    """),
    "model_list.litellm_params": _names("""
        litellm_credential_name use_in_pass_through
    """),
}

REFUSED: Final = {
    "": _names("guardrails policies"),
    # Callbacks may be hooks that reject a request; the api_base and network_mock decide where requests go.
    "litellm_settings": _names("""
        api_base audit_log_callbacks budget_duration default_internal_user_params default_key_generate_params
        default_team_params default_team_settings guardrails key_generation_settings max_budget network_mock
        post_call_rules pre_call_rules upperbound_key_generate_params use_litellm_proxy
    """),
    # Such checks keep callers away from deployments. What is left of optional_pre_call_checks is in the schema.
    "router_settings": _names("""
        fallback_access_check fallback_budget_check guardrail_list plugins
        provider_budget_config
    """),
    "general_settings": _names("""
        admin_only_routes allowed_ips allowed_routes custom_key_generate custom_sso
        custom_ui_sso_sign_in_handler database_url enable_jwt_auth enable_oauth2_auth enforce_user_param enforced_params
        global_max_parallel_requests litellm_jwtauth max_parallel_requests max_response_size_mb role_permissions
        service_account_settings token_rate_limit_type
    """),
    "model_list.litellm_params": _names("budget_duration guardrails max_budget"),
}


def verdict(section: str, key: str) -> Literal["ignored", "refused"] | None:
    """What becomes of a key that the schema does not have; None when it is unknown here too.

    >>> verdict("general_settings", "allowed_ips"), verdict("general_settings", "alerting"), verdict("", "modle_list")
    ('refused', 'ignored', None)
    """
    if any(fnmatchcase(key, name) for name in REFUSED.get(section, ())):
        return "refused"
    if any(fnmatchcase(key, name) for name in IGNORED.get(section, ())):
        return "ignored"
    return None


def names(section: str) -> frozenset[str]:
    """The keys of a section that are known and not in the schema."""
    both = IGNORED.get(section, frozenset()) | REFUSED.get(section, frozenset())
    return frozenset(name for name in both if not name.endswith("*"))

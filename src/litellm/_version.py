"""The version, where LiteLLM keeps it. The public part is the LiteLLM API level, the local part our own release."""

version = "1.106.0+own.0.1.0"
__version__ = version

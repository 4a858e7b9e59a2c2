"""The command `litellm`: start the proxy, or check a config file."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from litellm import _log
from litellm._version import version
from litellm.cli.check import check
from litellm.proxy.app import CONCURRENCY, App
from litellm.proxy.auth.authenticator import is_guarded
from litellm.proxy.config import Config, ConfigError, Problem, load_config
from litellm.proxy.deployments import unreachable
from litellm.proxy.reloading import reloaded
from litellm.proxy.state import Carryover, Proxy, build
from litellm.server.serve import ListenOptions, Reload, bind, serve
from litellm.server.workers import Supervisor

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - only chosen with a strong master key


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-c", "--config", type=click.Path(path_type=Path), envvar="CONFIG_FILE_PATH", help="The config file.")
@click.option("-m", "--model", help='One model to serve, such as "openai/gpt-4o"; every request goes to it.')
@click.option("--alias", help="The name to show for --model.")
@click.option("--api_base", help="Where --model is served.")
@click.option("--api_key", help="The key for --model. Its provider's variable is better: arguments are visible.")
@click.option("--api_version", help="The API version for --model.")
@click.option("--temperature", type=float, help="The temperature for --model, unless a request says another.")
@click.option("--max_tokens", type=int, help="The longest answer of --model, unless a request says otherwise.")
@click.option("--request_timeout", type=float, help="Seconds that a call may take.")
@click.option("--drop_params", is_flag=True, help="Drop parameters that a provider does not take.")
@click.option("--host", envvar="HOST", help=f"Default: {EVERYWHERE} with a strong master key, else {LOOPBACK}.")
@click.option("--port", type=click.IntRange(0, 65535), default=4000, envvar="PORT", show_default=True)
@click.option("--num_workers", type=click.IntRange(1), default=1, envvar="NUM_WORKERS", show_default=True)
@click.option("--debug", is_flag=True, help="Log what happens. Keys are masked.")
@click.option("--detailed_debug", is_flag=True, help="The same as --debug.")
@click.option("--ssl_certfile_path", type=click.Path(exists=True), help="Serve HTTPS with this certificate.")
@click.option("--ssl_keyfile_path", type=click.Path(exists=True), help="The certificate's private key.")
@click.option(
    "--keepalive_timeout", type=float, default=75.0, show_default=True, help="Seconds an idle client may stay."
)
@click.option(
    "--limit_concurrency",
    type=click.IntRange(1),
    default=CONCURRENCY,
    show_default=True,
    help="Requests that one worker takes at once; it answers more with 503.",
)
@click.option("--telemetry", hidden=True, help="Accepted for LiteLLM's sake. There is none.")
@click.version_option(version, "-v", "--version", message="LiteLLM: Current Version = %(version)s")
@click.pass_context
def main(context: click.Context, /, config: Path | None, model: str | None, **options: Any) -> None:
    """Start the proxy: litellm --config config.yaml, or litellm --model openai/x --api_base http://host/v1."""
    if context.invoked_subcommand is not None:
        return
    if config is None and model is None:
        raise click.UsageError("pass --config FILE or --model PROVIDER/NAME; `litellm check FILE` only checks a file")
    loaded = one_model(model, options) if model is not None and config is None else _loaded(config)
    settings = loaded.litellm_settings
    verbose = options["debug"] or options["detailed_debug"] or settings.set_verbose
    _log.turn_on(logging.DEBUG if verbose else logging.WARNING, as_json=settings.json_logs)
    for warning in loaded.warnings:
        click.echo(str(warning), err=True)
    _start(loaded, options, from_file=config is not None)


@main.command("check")
@click.argument("config", type=click.Path(path_type=Path))
def check_command(config: Path) -> None:
    """Report everything that is wrong with a config file, by line. Exits 0 when it can be served."""
    sys.exit(check(config))


def one_model(model: str, options: dict[str, Any]) -> Config:
    """The configuration that `--model` means: one deployment, to which every request goes whatever name it asks for."""
    from litellm.proxy.config import DeploymentConfig, GeneralSettings, LitellmSettings, RouterSettings

    named = ("api_base", "api_key", "api_version", "temperature", "max_tokens")
    params = {"model": model} | {name: options[name] for name in named if options.get(name) is not None}
    name = options.get("alias") or model
    settings = {name: options[name] for name in ("request_timeout", "drop_params") if options.get(name)}
    return Config(
        path=Path("--model"),
        model_list=(DeploymentConfig.model_validate({"model_name": name, "litellm_params": params}),),
        litellm_settings=LitellmSettings.model_validate(settings),
        router_settings=RouterSettings(),
        general_settings=GeneralSettings(completion_model=name),
        environment_variables={},
        warnings=(),
    )


def _loaded(path: Path | None) -> Config:
    try:
        return load_config(path or "", examine=unreachable)
    except ConfigError as error:
        _refuse(path, error)


def _refuse(path: Path | None, error: ConfigError) -> NoReturn:
    _stop(f"{error}\n\n{path} cannot be served; `litellm check {path}` shows this report again.")


class ActiveConfig:
    """The configuration in use, and how it is read again."""

    def __init__(self, config: Config, host: str | None) -> None:
        self.config = config
        self.host = allowed_host(host, self.key_of(config), config)
        self._export()

    @staticmethod
    def key_of(config: Config) -> str | None:
        """The master key: the file's, or else the environment's."""
        configured = config.general_settings.master_key
        return configured.get_secret_value() if configured else os.environ.get("LITELLM_MASTER_KEY")

    def reloaded(self, before: Proxy | None = None) -> Proxy:
        """Use the file as it is now: the Proxy for it. before: as for `build`. Raises, and keeps what there is, for a file
        that is no good: ConfigError, unless it is a user's code that fails."""
        config = load_config(self.config.path, examine=unreachable)
        if (problem := host_problem(self.host, self.key_of(config), config)) is not None:
            raise ConfigError([Problem(str(config.path), None, "general_settings.master_key", problem)])
        in_use, self.config = self.config, config
        try:
            self._export()
            return self.build(before)
        except BaseException:
            self.config = in_use
            raise

    def build(self, before: Proxy | None = None) -> Proxy:
        """The Proxy for it. before: the one in use, from which it takes over what lasts."""
        return build(self.config, self.key_of(self.config), Carryover.of(before) if before is not None else None)

    def _export(self) -> None:
        os.environ.update({name: value.get_secret_value() for name, value in self.config.environment_variables.items()})


def _start(config: Config, options: dict[str, Any], *, from_file: bool) -> None:
    current, concurrency = ActiveConfig(config, options["host"]), options["limit_concurrency"]
    listening = ListenOptions(
        host=current.host,
        port=options["port"],
        grace=config.general_settings.graceful_shutdown_seconds,
        keep_alive=options["keepalive_timeout"],
        certificate=options["ssl_certfile_path"],
        private_key=options["ssl_keyfile_path"],
    )
    try:
        proxy = current.build()
    except ConfigError as error:
        _refuse(config.path, error)
    try:
        sock = bind(listening)
    except OSError as error:
        _stop(
            f"cannot listen on {listening.host}:{listening.port}: {error.strerror}. Choose another with --port or --host."
        )
    key = current.key_of(config)
    if not is_guarded(key, custom_auth=proxy.custom_auth is not None):
        click.echo(f"warning: {_weakness(key)}, so only this machine can connect ({listening.host})", err=True)
    # When a terminal closes, what runs in it gets a SIGHUP too, and is to end then.
    reloads = from_file and not sys.stdin.isatty()

    def make_app(proxy: Proxy) -> tuple[App, Reload | None]:
        app = App(proxy, concurrency, host=listening.host)
        return app, partial(app.reload, current.reloaded) if reloads else None

    if options["num_workers"] > 1:
        _ready(listening, config, sock)
        check = (lambda: reloaded(current.reloaded) is not None) if reloads else None
        watching = Supervisor(lambda: make_app(current.build()), listening, sock, check=check)
        sys.exit(watching.run(options["num_workers"]))
    app, reload = make_app(proxy)
    serve(app, listening, sock, lambda: _ready(listening, config, sock), reload=reload)


def allowed_host(host: str | None, key: str | None, config: Config) -> str:
    """Where to listen. Only a strong master key, or custom_auth, opens the door to other machines. Exits with advice when
    asked to listen everywhere without one."""
    if host is None:
        return EVERYWHERE if host_problem(EVERYWHERE, key, config) is None else LOOPBACK
    problem = host_problem(host, key, config)
    if problem is not None:
        _stop(problem)
    return host


def host_problem(host: str, key: str | None, config: Config) -> str | None:
    """Why the server must not listen on `host`; None if it may."""
    if is_guarded(key, custom_auth=config.general_settings.uses_custom_auth) or _is_loopback(host):
        return None
    return (
        f"refusing to listen on {host}: {_weakness(key)}. Set general_settings.master_key or LITELLM_MASTER_KEY, for "
        f"example to this fresh one:\n  sk-{secrets.token_urlsafe(24)}\nor listen on {LOOPBACK} only."
    )


def _weakness(key: str | None) -> str:
    return "the master key is well known or short" if key else "there is no master key"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = socket.getaddrinfo(host, None)[0][4][0]
    except OSError:
        return False
    return str(address).startswith("127.") or address == "::1"


def _ready(listening: ListenOptions, config: Config, sock: socket.socket) -> None:
    port = sock.getsockname()[1]
    scheme = "https" if listening.certificate else "http"
    names = ", ".join(config.groups[:8]) + (", …" if len(config.groups) > 8 else "")
    click.echo(f"litellm {version} serves {names or 'no models'} on {scheme}://{listening.host}:{port}", err=True)


def _stop(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()

"""Command serve: the page that searches an index, and its JSON API. Not a stage of the chain."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stages._cli import one_line_errors
from stages._options import device_option, index_option

if TYPE_CHECKING:
    from pipeline.retrieval.index.folder import Stamp
    from pipeline.retrieval.searcher import Searcher

EXTRA = ("starlette", "jinja2", "python_multipart", "uvicorn")


@click.command()
@index_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on; 0: any free one.")
@click.option("--allow", multiple=True, metavar="NAME", help="Name that browsers may know the server by; repeatable.")
@device_option
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", help="A cap (docs/serving.md); repeatable.")
@click.option("--open", "open_browser", is_flag=True, help="Show the page in the browser.")
@click.option("--verbose", is_flag=True, help="Log every request.")
def main(
    *,
    index: Path,
    host: str,
    port: int,
    allow: tuple[str, ...],
    device: str,
    limits: tuple[str, ...],
    open_browser: bool,
    verbose: bool,
) -> None:
    """Search the index in the browser, and by programs (docs/serving.md), until Ctrl+C.

    Only this machine can reach the page unless --host says otherwise. A new index is served as soon as it is written.
    """
    with one_line_errors("serve"):
        from importlib.util import find_spec

        from pipeline.base.errors import UserError

        if missing := [name for name in EXTRA if find_spec(name) is None]:
            raise UserError(f"{', '.join(missing)}: not installed; run `pip install 'crosswear[web]'`")

        from pipeline.base.threads import one_thread_each

        one_thread_each()

        import logging

        from pipeline.web.app import create_app
        from pipeline.web.guard import LOOPBACK, is_any
        from pipeline.web.limits import Limits
        from pipeline.web.server import bind, serve
        from pipeline.web.service import Service

        def load() -> "Searcher":
            from pipeline.retrieval.searcher import Searcher

            return Searcher.load(index, device=device, warm=True)

        def stamp() -> "Stamp":
            from pipeline.retrieval.index import folder

            return folder.stamp(index)

        def say(message: str) -> None:
            click.echo(f"serve: {message}")

        logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="serve: %(message)s")
        caps = Limits.of(limits)
        with bind(host, port) as listening:  # before the index is read, which takes its time
            service = Service(load, stamp, caps, say)
            address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"

            def ready() -> None:
                searcher = service.served.searcher
                models = f"model{'s' if len(searcher.models) > 1 else ''} {', '.join(searcher.models)}"
                say(f"{address} ({len(searcher):,} pictures, {models}; ctrl+C ends it)")
                if host not in LOOPBACK:
                    say(f"{host} is not this machine alone: whoever can reach it may search, there is no password")
                if open_browser:
                    click.launch(address)

            serve(create_app(service, [host, *allow], any_address=is_any(host)), listening, ready)


if __name__ == "__main__":
    main()

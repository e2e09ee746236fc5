"""armprof fleet: the hosts that a Prometheus scrapes, compared."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time

from armprof.commands.reporting import add_format, put
from armprof.errors import ArmprofError
from armprof.run.codec import MismatchError

TOKEN = "ARMPROF_PROMETHEUS_TOKEN"


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prometheus",
        required=True,
        metavar="URL",
        help="Prometheus, Thanos, Mimir or VictoriaMetrics, as in http://localhost:9090; a bearer token for it is taken "
        f"from the environment variable {TOKEN}",
    )
    parser.add_argument("--since", default="1h", metavar="TIME", help="how far back, as in 30m or 7d (default: 1h)")
    parser.add_argument("--at", metavar="TIME", type=float, help="until then, in Unix seconds; default: now")
    add_format(parser, more=())


def run(args: argparse.Namespace) -> int:
    from armprof.monitor.fleet import survey
    from armprof.monitor.promql import QueryServer
    from armprof.monitor.rules import duration_ns
    from armprof.report import fleet, harmless

    try:
        window = duration_ns(args.since, "--since", 60) / 1e9
    except MismatchError as error:
        raise ArmprofError(str(error)) from None
    found = survey(
        QueryServer(args.prometheus, os.environ.get(TOKEN)), time.time() if args.at is None else args.at, window
    )
    if args.format == "json":
        rendered = fleet.render_json(found)
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() and not args.output else 80
        rendered = "".join(f"{harmless.line(line)}\n" for line in fleet.text(found, width))
    put(rendered, args.output)
    return 0

"""What gunicorn is told, and what it is told not to do."""

from __future__ import annotations

import pytest
from gunicorn.config import Config

from config.reading import load_settings
from core.delivery.cli.serve import options, without_trace


def test_gunicorn_takes_every_option_when_configured():
    config = Config()
    settings = load_settings({}, web_processes=3, web_threads=5, web_max_requests=1000)

    for name, value in options(settings, bind="127.0.0.1:1", graceful_s=7).items():
        config.set(name, value)

    assert (config.workers, config.threads, config.max_requests, config.max_requests_jitter) == (3, 5, 1000, 100)
    assert (config.worker_class_str, config.graceful_timeout, config.accesslog) == ("gthread", 7, None)
    assert (config.forwarded_allow_ips, config.forwarder_headers, config.secure_scheme_headers) == ([], [], {})
    assert config.control_socket_disable is True


@pytest.mark.parametrize(
    ("method", "status"), [("TRACE", "405 Method Not Allowed"), ("TRACK", "405 Method Not Allowed"), ("GET", "200 OK")]
)
def test_trace_is_refused_when_it_would_echo_headers(method, status):
    answers = []

    def application(environ, start_response):
        start_response("200 OK", [])
        return [environ["HTTP_COOKIE"].encode()]

    body = without_trace(application)({"REQUEST_METHOD": method, "HTTP_COOKIE": "secret"}, lambda line, _headers: answers.append(line))

    assert answers == [status]
    assert list(body) == ([b"secret"] if method == "GET" else [])

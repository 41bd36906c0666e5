"""Plugin for pytest: the fixture `qubs`, a session of one server for each test.

The server starts with the first test that asks for it and ends with the run; under pytest-xdist one
serves all workers. `--qubs-verdict`, or the marker `qubs_verdict`, fails a test whose client broke a
rule of the documentation (a must).
"""

import itertools
import os

import pytest

from .control import Session
from .server import Server

_server = pytest.StashKey()
_url = pytest.StashKey()
_session = pytest.StashKey()
_numbers = itertools.count(1)


def pytest_addoption(parser):
    parser.getgroup("qubs-mock").addoption(
        "--qubs-verdict", action="store_true",
        help="fail each test whose client breaks a must of the QUBS documentation",
    )


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "qubs_verdict: fail the test when its client breaks a must of the documentation"
    )
    given = getattr(config, "workerinput", {}).get("qubs_url")
    if given:
        config.stash[_url] = given


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tells a worker of pytest-xdist where the server is."""
    node.workerinput["qubs_url"] = _base_url(node.config)


def pytest_unconfigure(config):
    server = config.stash.get(_server, None)
    if server:
        server.stop()


def _base_url(config):
    if _url not in config.stash:
        server = Server()
        config.stash[_server] = server
        config.stash[_url] = server.base_url
    return config.stash[_url]


@pytest.fixture
def qubs(request):
    """A session of qubs-mock that belongs to this test alone."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    session = Session(_base_url(request.config), f"{worker}-{next(_numbers)}")
    session.open()
    request.node.stash[_session] = session
    yield session
    session.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Judges the client of a test once its function is done, while its session still lives."""
    wanted = item.config.getoption("qubs_verdict") or item.get_closest_marker("qubs_verdict")
    try:
        result = yield
    except BaseException as error:
        if wanted and isinstance(error, Exception) and _session in item.stash:
            # The test has failed by itself: what the client did may say why.
            item.add_report_section("call", "qubs-mock", item.stash[_session].verdict_text())
        raise
    if wanted and _session in item.stash:
        session = item.stash[_session]
        verdict = session.verdict()
        if verdict["result"] == "fail":
            # The first line is what pytest's summary shows of a failed test.
            broken = "; ".join(
                f"{check['id']}: {check['summary']}" for check in verdict["checks"]
                if check["result"] == "fail" and check["level"] == "must"
            )
            pytest.fail(f"{broken}\n\n{session.verdict_text().rstrip()}", pytrace=False)
    return result

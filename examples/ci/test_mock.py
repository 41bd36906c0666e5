"""Testcontainers for Python: pip install 'testcontainers>=4.13' pytest."""

import json
import urllib.parse
import urllib.request

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

IMAGE = "registry.example/qubs-mock:0.2.0"


@pytest.fixture(scope="session")
def base_url():
    mock = DockerContainer(IMAGE).with_exposed_ports(8080)
    mock.with_env("QUBS_MOCK_ADMIN_TOKEN", "a-token-of-this-test")
    mock.waiting_for(HttpWaitStrategy(8080, "/__admin/ready"))
    with mock:
        yield f"http://{mock.get_container_host_ip()}:{mock.get_exposed_port(8080)}"


def test_a_token_is_granted(base_url, request):
    # A session of its own for each test: acme-partner+NAME.
    form = {"grant_type": "client_credentials", "client_id": f"acme-partner+{request.node.name}",
            "client_secret": "acme-partner-secret"}
    content = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(base_url + "/oauth2/token", content) as answer:
        assert json.load(answer)["token_type"] == "Bearer"

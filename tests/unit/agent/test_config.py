"""Settings: what is given counts, what is wrong is named with its remedy."""

import pytest

from agent.config import ServerConfig, load_config
from agent.errors import ConfigError

pytestmark = pytest.mark.unit


def test_nothing_given_is_a_server_for_this_machine_alone():
    config = load_config({"port": None, "stt": None}, {})
    assert config == ServerConfig() and config.is_loopback and not config.offline


@pytest.mark.parametrize(
    ("value", "is_offline"), [("1", True), ("true", True), ("0", False), ("", False), ("false", False), (" No ", False)]
)
def test_offline_comes_from_the_environment(value, is_offline):
    assert load_config({}, {"VISAVIS_OFFLINE": value}).offline is is_offline


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_may_be_named_in_three_ways(host):
    assert load_config({"host": host}, {}).host == host


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"host": "0.0.0.0"}, ("--host", "0.0.0.0", "SSH tunnel")),
        ({"host": "::"}, ("--host", "::")),
        ({"host": ""}, ("--host",)),
        ({"port": -1}, ("--port", "-1", "greater than or equal to 0")),
        ({"port": 65536}, ("--port", "65536", "65535")),
        ({"max_sessions": 0}, ("--max-sessions", "0")),
        ({"idle_timeout_s": -1.0}, ("--idle-timeout-s", "-1.0")),
        ({"on_disconnect_s": float("nan")}, ("--on-disconnect-s", "nan")),
        ({"stt": "ears"}, ("--stt", "'ears'", "whisper")),
        ({"sessions": 3}, ("--sessions", "3")),
    ],
)
def test_a_wrong_value_is_named(options, words):
    with pytest.raises(ConfigError) as caught:
        load_config(options, {})
    assert [word for word in words if word not in str(caught.value)] == []

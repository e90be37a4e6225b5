"""The private servers themselves: they start, are usable, and stop."""

import pytest

pytestmark = pytest.mark.live


def test_valkey_starts_empty_again(valkey_server):
    import redis

    with redis.Redis.from_url(valkey_server.url) as client:
        client.set("a", "b")
    valkey_server.stop()
    valkey_server.start()
    with redis.Redis.from_url(valkey_server.url) as client:
        assert client.get("a") is None


def test_postgres_survives_a_crash(postgres_server):
    import psycopg

    with psycopg.connect(postgres_server.url("one")) as connection:
        connection.execute("CREATE TABLE t (n int)")
    postgres_server.restart()
    with psycopg.connect(postgres_server.url("one")) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_what_is_missing_skips_or_fails(monkeypatch):
    from tests.servers.fixtures import required
    from tests.servers.running import ServerMissing

    monkeypatch.delenv("SIGNET_NO_SKIP", raising=False)
    with pytest.raises(pytest.skip.Exception), required("X"):
        raise ServerMissing("not installed")
    monkeypatch.setenv("SIGNET_NO_SKIP", "1")
    with pytest.raises(pytest.fail.Exception), required("X"):
        raise ServerMissing("not installed")

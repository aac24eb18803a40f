"""Starting: what stands in the way is said, and nothing half-started stays."""
from system import wait_until


def test_address_of_another_gateway_is_refused_by_name(system):
    first = system(tenant=None, demo=False)
    second = system(tenant=None, demo=False, start=False)
    for listener in ("gateway", "admin"):
        other = first.port if listener == "gateway" else first.admin_port
        kept = second.config[listener]["listen"]
        second.config[listener]["listen"] = [{"address": f"127.0.0.1:{other}"}]
        second.write_config()
        second.start(ready=False)
        assert second.serve.wait(20) == 1
        assert f"cannot listen on 127.0.0.1:{other}" in second.logs()
        second.config[listener]["listen"] = kept
    assert all(first.ask("GET", "/nowhere").status == 404 for _ in range(20))
    second.write_config()
    second.start()


def test_the_same_address_can_be_had_again_at_once(system):
    gateway = system(tenant=None)
    for _ in range(3):
        assert gateway.ask("GET", "/echo/x").status == 200
        assert gateway.terminate() == 0
        gateway.start()
    assert wait_until(gateway.is_ready)

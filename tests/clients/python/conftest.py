"""What every test is given."""

import os

import pytest

import expected
from harness import Server, World

# A proxy of the machine must not see requests to this one.
os.environ["NO_PROXY"] = "*"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("guestlist"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def admin(server):
    """The client of the demo administrator, whose token may do everything."""
    return server.client(server.quickstart["token"])


@pytest.fixture
def world(server, admin):
    """An application of the test's own, so that no test sees what another one made."""
    made = admin.applications.post(application={"name": "test"})
    yield World(server, admin, made["applicationId"])
    admin.application.delete(applicationId=made["applicationId"])


@pytest.fixture(scope="session")
def person(server):
    """Makes administrators: each call gives a client that is signed in as a new one."""
    count = iter(range(1_000_000))

    def make(password=expected.GOOD_PASSWORD):
        email = f"person{next(count)}@example.com"
        server.admin_create(email, password)
        signed_in = server.client().auth.authenticate_user(
            credentials={"email": email, "password": password}
        )
        client = server.client(signed_in["token"])
        client.email, client.user_id = email, signed_in["userId"]
        return client

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failing test shows what the server logged last."""
    report = yield
    server = item.funcargs.get("server") if hasattr(item, "funcargs") else None
    if report.failed and server is not None:
        report.sections.append(("end of the server's log", server.log_tail()))
    return report

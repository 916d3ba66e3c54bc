"""The real server: slow and impolite clients, the end, and the command."""

import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from select import select

import pytest
from click.testing import CliRunner
from support.fake_searcher import encoded, garment

from stages import serve

BOUNDARY = "x"
HEAD = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'.encode()
BODY = HEAD + encoded(garment(5)) + f"\r\n--{BOUNDARY}--\r\n".encode()
KIND = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def search(address: str) -> tuple[int, dict, dict]:
    with closing(HTTPConnection(address.removeprefix("http://"), timeout=20)) as connection:
        connection.request("POST", "/api/search", BODY, KIND)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), json.loads(answer.read())


def raw(address: str) -> socket.socket:
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def head(length: int) -> bytes:
    lines = [
        "POST /api/search HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {length}",
        f"Content-Type: {KIND['Content-Type']}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_client_that_stalls_is_dropped_and_holds_no_place(start):
    _, address = start("0", "stall_seconds=0.5", "at_once=1", "waiting=0")
    with raw(address) as stalled, raw(address) as other:
        for connection in (stalled, other):
            connection.sendall(head(len(BODY)) + HEAD)
        time.sleep(0.1)
        assert search(address)[0] == 200
        assert stalled.recv(1000).startswith(b"HTTP/1.1 408")
        while stalled.recv(1000):  # until the server closes
            pass


def test_a_client_that_trickles_is_dropped_too(start):
    _, address = start("0", "stall_seconds=5", "upload_seconds=0.5")
    with raw(address) as slow:
        slow.sendall(head(len(BODY)))
        for byte in BODY[:200]:
            slow.sendall(bytes([byte]))
            if select([slow], [], [], 0.05)[0]:
                break
        assert slow.recv(1000).startswith(b"HTTP/1.1 408")


def test_a_client_that_leaves_is_forgotten(start):
    server, address = start("0", "at_once=1", "waiting=0")
    for _ in range(3):
        with raw(address) as leaving:
            leaving.sendall(head(len(BODY)) + HEAD)
    assert search(address)[0] == 200
    server.send_signal(signal.SIGTERM)
    assert server.communicate(timeout=20) == ("", "")


def test_a_body_that_says_it_is_too_large_is_refused_at_once(start):
    _, address = start("0", "upload_mb=1")
    with raw(address) as large:
        large.sendall(head(2_000_000))
        assert large.recv(1000).startswith(b"HTTP/1.1 413")


def test_a_body_without_an_end_is_refused_at_the_cap(start):
    _, address = start("0", "upload_mb=1")
    lines = [
        "POST /api/search HTTP/1.1",
        "Host: localhost",
        "Transfer-Encoding: chunked",
        f"Content-Type: {KIND['Content-Type']}",
    ]
    chunk = b"2710\r\n" + bytes(10_000) + b"\r\n"
    with raw(address) as endless:
        endless.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        for _ in range(101):
            endless.sendall(chunk)
        assert endless.recv(1000).startswith(b"HTTP/1.1 413")


def test_beyond_the_queue_clients_are_told_to_come_again(start):
    _, address = start("0.5", "at_once=1", "waiting=1")
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: search(address), range(6)))
    statuses = sorted(status for status, _, _ in answers)
    assert statuses[:2] == [200, 200]
    assert set(statuses) == {200, 503}
    refused = next(answer for answer in answers if answer[0] == 503)
    assert int({name.lower(): value for name, value in refused[1].items()}["retry-after"]) > 0
    assert refused[2] == {"error": "the server is busy; try again in a moment"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_waits_for_what_is_under_way(start, number):
    server, address = start("1")
    idle = raw(address)  # a client that says nothing keeps nobody
    with ThreadPoolExecutor(1) as threads, idle:
        asked = threads.submit(search, address)
        time.sleep(0.4)
        server.send_signal(number)
        assert asked.result()[0] == 200
    assert server.wait(20) == 0
    assert server.communicate() == ("", "")


def run(*arguments: str):
    return CliRunner().invoke(serve.main, arguments)


def test_a_port_in_use_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.exit_code == 2
    assert done.output.startswith(f"serve: error: 127.0.0.1, port {port}: ")
    assert len(done.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "192.0.2.1"], "192.0.2.1, port 8000"),
        (["--host", "no such name"], "no such name, port 8000"),
        (["--port", "70000"], "port 70000"),
        (["--port", "0", "--index", "nowhere"], "nowhere: no index here"),
        (["--limit", "nonsense"], "limit 'nonsense'"),
    ],
)
def test_mistakes_are_one_line(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert len(done.output.splitlines()) == 1


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(serve, "EXTRA", ("starlette", "no_such_package"))
    done = run()
    assert done.exit_code == 2
    assert done.output == "serve: error: no_such_package: not installed; run `pip install 'crosswear[web]'`\n"

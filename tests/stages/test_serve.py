"""The page on a real index."""

import json
import signal
import time
from contextlib import contextmanager
from urllib.request import urlopen

import requests

WAIT = 60


@contextmanager
def serving(chain):
    server = chain.start("serve", "--port", "0", "--device", "cpu")
    try:
        said = server.stdout.readline()
        assert "pictures, models baseline, udma, viewed; ctrl+C ends it)" in said, server.stderr.read()
        yield server, said.split()[1]
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=WAIT)
    assert server.returncode == 0


def test_the_page_finds_what_the_command_finds_and_follows_the_index(chain):
    file = next((chain.folder / "data/raw").rglob("*.jpg"))
    done = chain.run("search", str(file), "-k", "5", "--colour", "0.1", "--json", "--device", "cpu")
    wanted = [(hit["row"], hit["score"]) for hit in json.loads(done.stdout)["hits"]]
    with serving(chain) as (_, address):
        sent = {"k": "5", "colour": "0.1"}
        answer = requests.post(f"{address}/api/search", files={"image": file.read_bytes()}, data=sent, timeout=WAIT)
        (found,) = answer.json()["answers"]
        assert [hit["row"] for hit in found["hits"]] == [row for row, _ in wanted]
        assert all(abs(hit["score"] - score) < 1e-5 for hit, (_, score) in zip(found["hits"], wanted, strict=True))
        first = found["hits"][0]
        for path in ("/", first["similar"], f"/api{first['similar']}", first["picture"], f"{first['picture']}/large"):
            with urlopen(address + path, timeout=WAIT) as response:
                assert response.status == 200
        rows = requests.get(f"{address}/api/index", timeout=WAIT).json()["rows"]
        chain.succeed(f"catalogue remove {first['item']}")
        end = time.monotonic() + WAIT
        while requests.get(f"{address}/api/index", timeout=WAIT).json()["rows"] == rows:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert requests.get(address + first["similar"], timeout=WAIT).status_code == 404

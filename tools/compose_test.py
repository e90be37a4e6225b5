"""Bring docker-compose.yml up for real, use it, break it, and check that nothing is lost.

    make compose-test     needs a Docker daemon (DOCKER_HOST) and docker-compose or docker compose

Signs in, reads, sends; scales web and a worker to two; kills one of each; sends and reads again;
takes everything down. Ends with status 0 when each step held.
"""

import http.cookiejar
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "signet-test"
FIRST_PORT = int(os.environ.get("COMPOSE_TEST_PORT", "18000"))
PATIENCE = float(os.environ.get("COMPOSE_TEST_PATIENCE", "1"))  # times longer, on a busy machine
ENVIRONMENT = {
    **os.environ,
    "COMPOSE_PROJECT_NAME": PROJECT,
    "COMPOSE_PROFILES": "demo",
    "SIGNET_REQUIREMENTS": "demo",
    "SIGNET_WEB_PORTS": f"{FIRST_PORT}-{FIRST_PORT + 5}",
}


def say(text):
    print(f"· {text}", flush=True)


def compose_command():
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if shutil.which("docker"):
        return ["docker", "compose"]
    sys.exit("✗ Neither docker-compose nor docker is here. Install one and start a daemon.")


COMPOSE = compose_command()


def compose(*arguments, check=True, capture=False):
    done = subprocess.run(
        [*COMPOSE, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        check=False,
        capture_output=capture,
        text=True,
        timeout=1500,
    )
    if check and done.returncode:
        sys.exit(f"✗ {' '.join(arguments)} failed: {done.stderr or done.returncode}")
    return done.stdout if capture else ""


def docker(*arguments):
    return subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def containers(service):
    return compose("ps", "-q", service, capture=True).split()


def wait_for(what, probe, seconds=120):
    seconds *= PATIENCE
    until = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > until:
            compose("logs", "--tail", "40", check=False)
            sys.exit(f"✗ waited {seconds:.0f} s for {what}")
        time.sleep(1)


class Visitor:
    """A browser without script that knows several web containers."""

    def __init__(self, ports):
        self.ports = ports
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.page = ""
        self.address = ""

    def open(self, path, fields=None):
        """Ask each web container in turn until one answers, as a proxy would."""
        problem = None
        for port in self.ports:
            url = urllib.parse.urljoin(f"http://127.0.0.1:{port}", path)
            body = urllib.parse.urlencode(fields).encode() if fields else None
            request = urllib.request.Request(url, data=body, headers={"Referer": url})
            try:
                with self.opener.open(request, timeout=40) as answer:
                    self.page = answer.read().decode("utf-8", "replace")
                    self.address = answer.geturl()
                    return self.page
            except urllib.error.HTTPError:
                raise
            except OSError as error:
                problem = error
        raise SystemExit(f"✗ no web container answers: {problem}")

    def post(self, path, **fields):
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page)[1]
        return self.open(path, {"csrfmiddlewaretoken": token, **fields})

    def sign_in(self, address, password):
        self.open("/sign-in")
        self.post("/sign-in", address=address, password=password, next="/")
        if "Compose" not in self.page:
            sys.exit("✗ sign-in did not lead to the mailbox")


def web_ports():
    found = []
    for container in containers("web"):
        bindings = json.loads(docker("inspect", container))[0]["NetworkSettings"]["Ports"]
        found += [int(entry["HostPort"]) for entry in bindings.get("8000/tcp") or []]
    return sorted(set(found))


def is_up(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def send(visitor, subject):
    visitor.open("/compose")
    action = re.search(r'action="([^"]*/send[^"]*)"', visitor.page)[1]
    key = re.search(r'name="key" value="([^"]+)"', visitor.page)[1]
    revision = re.search(r'name="revision" value="([^"]*)"', visitor.page)[1]
    identity = re.search(r'name="from"[^>]*value="([^"]+)"', visitor.page)[1]
    visitor.post(
        action,
        **{"from": identity, "to": "bob@nordlys.example", "cc": "", "bcc": ""},
        subject=subject,
        text="Sent through containers.",
        key=key,
        revision=revision,
    )


def has_arrived(subject):
    reader = Visitor(web_ports())
    reader.sign_in("bob@nordlys.example", "bob")
    wait_for(f"“{subject}” in bob's inbox", lambda: subject in reader.open("/"))
    if reader.page.count(f">{subject}<") > 2:
        sys.exit(f"✗ “{subject}” arrived more than once")


def main():
    subprocess.run([sys.executable, "tools/make_secrets.py"], cwd=ROOT, check=True)
    try:
        say("Building the image")
        compose("build")
        say("Starting")
        compose("up", "-d")
        ports = wait_for("a web container", lambda: [p for p in web_ports() if is_up(p)], 300)
        wait_for("the demo's mail", lambda: "mail servers run" in _log("demo-mail"), 240)
        alice = Visitor(ports)
        alice.sign_in("alice@nordlys.example", "alice")
        say("alice is signed in")
        wait_for("mail in the list", lambda: "Turbine 3 vibration report" in alice.open("/"))
        link = re.search(r'href="(/message/\d+)[^"]*"', alice.page)[1]
        wait_for("an open message", lambda: "<iframe" in alice.open(link))
        first = f"First {uuid.uuid4().hex[:8]}"
        send(alice, first)
        has_arrived(first)
        say("read and sent")

        compose(
            "up",
            "-d",
            "--scale",
            "web=2",
            "--scale",
            "worker-send=2",
            "--scale",
            "worker-crypto=2",
            "--scale",
            "worker-interactive=2",
            "--scale",
            "worker-sync=2",
        )
        wait_for("two web containers", lambda: len([p for p in web_ports() if is_up(p)]) == 2)
        say("scaled to two")
        alice.ports = web_ports()
        second = f"Second {uuid.uuid4().hex[:8]}"
        send(alice, second)
        for service in ("web", "worker-send", "worker-crypto", "worker-interactive", "worker-sync"):
            docker("kill", containers(service)[0])
        say("killed one of each")
        alice.ports = [p for p in web_ports() if is_up(p)] or alice.ports
        third = f"Third {uuid.uuid4().hex[:8]}"
        send(alice, third)
        for subject in (second, third):
            has_arrived(subject)
        say("nothing was lost")
    finally:
        compose("down", "-v", "--remove-orphans", check=False)
    print("compose-test: 1 passed, 0 failed")


def _log(service):
    return compose("logs", "--no-color", service, capture=True)


if __name__ == "__main__":
    main()

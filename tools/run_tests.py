"""All tests in two processes: those that drive a browser, and all others.

Each process has servers and a database of its own, and each keeps pytest-django's order (tests that
write outside a transaction come last), which tests shared out singly would lose. What one prints
goes to .tools/tests-NAME.log and is shown when it ends; options are passed on to both.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
TELL_EVERY = 60.0  # seconds
SHARES = {"browser": ["-m", "browser"], "others": ["-m", "not browser"]}


def progress(log: Path) -> str:
    """The last line that pytest printed."""
    lines = log.read_text(errors="replace").splitlines()
    return lines[-1].strip()[-100:] if lines else ""


def main(options: list[str]) -> int:
    TOOLS.mkdir(exist_ok=True)
    started = time.monotonic()
    logs = {name: TOOLS / f"tests-{name}.log" for name in SHARES}
    running = {}
    for name, selection in SHARES.items():
        command = [sys.executable, "-m", "pytest", *selection, *options]
        with logs[name].open("wb") as log:
            running[name] = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    worst, told = 0, time.monotonic()
    try:
        while running:
            time.sleep(0.5)
            for name in [name for name, each in running.items() if each.poll() is not None]:
                code = running.pop(name).returncode
                worst = worst or code
                print(logs[name].read_text(errors="replace"))
                minutes = (time.monotonic() - started) / 60
                print(f"· {name}: exit {code} after {minutes:.1f} min", flush=True)
            if time.monotonic() - told > TELL_EVERY:
                told = time.monotonic()
                for name in running:
                    print(f"· {name}: {progress(logs[name])}", flush=True)
    finally:
        for each in running.values():  # they stop their servers before they go
            each.send_signal(signal.SIGINT)
        for each in running.values():
            each.wait()
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

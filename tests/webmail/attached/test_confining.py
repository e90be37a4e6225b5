"""What a drawing child that was taken over can still do: nothing beyond its two pipes."""

import json
import logging
import platform
import subprocess
import sys

import pytest

from tests.webmail.attached.made import animation, pdf, picture
from webmail.attached import drawing, syscall_filter
from webmail.attached.drawing import Drawer

# Each attempt is made by one child that confined itself as the drawing child does.
ATTEMPTS = {
    "a socket": "socket.socket()",
    "a local socket": "socket.socket(socket.AF_UNIX)",
    "a pair of sockets": "socket.socketpair()",
    "a file of ours": "open({ours!r}).read()",
    "the passwords of the system": "open('/etc/passwd').read()",
    "its own environment": "open('/proc/self/environ').read()",
    "a new file": "open({new!r}, 'w')",
    "a new directory": "os.mkdir({new!r})",
    "a link": "os.symlink({ours!r}, {new!r})",
    "a file's end": "os.unlink({ours!r})",
    "a program": "os.execv('/bin/true', ['/bin/true'])",
    "a process": "os.fork() or os._exit(0)",
    "a program in a process": "os.posix_spawn('/bin/true', ['/bin/true'], {{}})",
    "a signal to another": "os.kill({parent}, 0)",
    "another's limits": "resource.prlimit({parent}, resource.RLIMIT_NOFILE)",
    "executable memory": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "a terminal's input": "fcntl.ioctl(0, 0x5412, b'x')",
    "another root": "os.chroot('/')",
}
_PROGRAM = """
import errno, fcntl, json, mmap, os, resource, socket
from webmail.attached import confining
confining.limit_resources()
{before}
lacks = confining.have_the_kernel_confine()
said = {{"lacks": lacks}}
for name, attempt in {attempts!r}.items():
    try:
        eval(attempt)
        said[name] = "done"
    except OSError as refusal:
        said[name] = errno.errorcode[refusal.errno]
print(json.dumps(said))
"""


def attempted(tmp_path, parent: int, *, before: str = "") -> dict[str, object]:
    ours = tmp_path / "ours"
    ours.write_text("words")
    is_confined = "= tuple" not in before
    places = {"ours": str(ours), "new": str(tmp_path / "new"), "parent": parent}
    attempts = {name: words.format(**places) for name, words in ATTEMPTS.items()}
    if not is_confined:
        del attempts["a program"]  # it would end here
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(attempts=attempts, before=before)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    said: dict[str, object] = json.loads(done.stdout.splitlines()[0])
    assert ours.exists() == (is_confined or said["a file's end"] != "done")
    return said


@pytest.fixture
def neighbour():
    """A process of the same user that is not the child's parent."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def test_a_confined_child_reaches_nothing(tmp_path, neighbour):
    said = attempted(tmp_path, neighbour)
    assert said.pop("lacks") == []
    assert set(said.values()) <= {"EPERM", "EACCES"}, said


def test_where_the_kernel_has_no_landlock_no_file_can_be_read_either(tmp_path, neighbour):
    said = attempted(tmp_path, neighbour, before="confining._CREATE_RULESET = 9999")
    assert said.pop("lacks") == ["landlock"]
    assert set(said.values()) <= {"EPERM", "EACCES"}, said


def test_where_the_kernel_has_no_filters_files_stay_closed(tmp_path, neighbour):
    said = attempted(tmp_path, neighbour, before="confining.syscall_filter.MACHINES.clear()")
    assert said["lacks"] == ["seccomp"]
    for what in ("a file of ours", "the passwords of the system", "a new file", "a file's end"):
        assert said[what] in {"EPERM", "EACCES"}, what


def test_a_confined_child_may_read_fonts_and_nothing_beside_them(tmp_path):
    program = (
        "import os; from webmail.attached import confining\n"
        f"confining._FONTS = ({str(tmp_path)!r},)\n"
        "confining.have_the_kernel_confine()\n"
        f"print(open({str(tmp_path / 'a.ttf')!r}).read(), os.listdir({str(tmp_path)!r}))\n"
    )
    (tmp_path / "a.ttf").write_text("a font")
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout == b"a font ['a.ttf']\n"


def test_a_filter_of_another_architecture_ends_the_child():
    """Its numbers would name other calls there."""
    others = [name for name in syscall_filter.MACHINES if name != platform.machine()]
    program = (
        "from webmail.attached import confining, syscall_filter\n"
        f"syscall_filter.MACHINES[{platform.machine()!r}] = syscall_filter.Machine(\n"
        f"    syscall_filter.MACHINES[{others[0]!r}].audit,\n"
        f"    syscall_filter.MACHINES[{platform.machine()!r}].calls)\n"
        "confining.have_the_kernel_confine()\n"
        "print('still here')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert done.returncode == -31, done  # SIGSYS
    assert done.stdout == b""


def test_every_architecture_has_a_number_for_every_call():
    for machine in syscall_filter.MACHINES.values():
        assert len(set(machine.calls.values())) == len(machine.calls)
        with_files = syscall_filter.program(machine, may_open=True)
        assert syscall_filter.length(with_files) < 4096  # BPF_MAXINSNS
        assert len(syscall_filter.program(machine, may_open=False)) < len(with_files)


def test_what_the_kernel_lacks_is_said_once_in_the_log(monkeypatch, caplog):
    drawing._tell_once.cache_clear()
    answer = json.loads

    def without_landlock(text):
        said = answer(text)
        return {**said, "lacks": ["landlock"]} if "lacks" in said else said

    monkeypatch.setattr(json, "loads", without_landlock)
    with caplog.at_level(logging.WARNING), Drawer() as drawer:
        for _ in range(2):
            assert drawer.draw("picture", picture(), width=9, height=9).code == ""
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["event=drawing-less-confined lacks=landlock"]
    drawing._tell_once.cache_clear()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("picture", picture(kind="AVIF", width=900, height=700)),  # decoded by threads
        ("picture", picture(kind="TIFF", mode="CMYK")),
        ("picture", picture(kind="PNG", mode="P")),
        ("picture", picture(kind="WEBP")),
        ("picture", animation()),
        ("pdf", pdf(drawing=b"BT /F1 24 Tf 72 700 Td (words) Tj ET")),
    ],
)
def test_a_confined_child_still_draws(caplog, kind, content):
    with Drawer() as drawer:
        assert drawer.draw(kind, content, width=200, height=200).code == ""
    assert "lacks" not in caplog.text


def test_what_is_attempted_works_where_nothing_confines(tmp_path, neighbour):
    """Else a refusal would say nothing."""
    before = "confining.have_the_kernel_confine = tuple"
    said = attempted(tmp_path, neighbour, before=before)
    said.pop("lacks")
    assert {what for what, word in said.items() if word != "done"} <= {
        "a new file",  # no file may grow, but it is there
        "a new directory", "a link",  # so their name is taken
        "a terminal's input",  # there is no terminal
        "another root",  # for the system's administrator alone
    }, said  # fmt: skip

"""Other S/MIME programs behind one face: sign, verify, encrypt, decrypt.

Each lives in a directory of its own, trusts one root and is given keys as files.
"""

import os
import re
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from smime.pki import KeyPair
from smime.pki.authority import to_pkcs12
from smime.pki.certificates import fingerprint
from tests.servers.running import ServerMissing, program

PASSPHRASE = "geheim"
_SECONDS = 60


_NOT_KNOWN = re.compile(
    r"unsupported|unknown|not supported|unrecognized|no default digest|invalid digest"
    r"|decode error|invalid[ _]algorithm|unable[ _]to[ _]import[ _]key",
    re.IGNORECASE,
)


class Refused(Exception):  # noqa: N818 - a result, not a mistake
    """The program did not do it; its words in one line."""

    @property
    def is_not_known(self) -> bool:
        """It says that it knows no such algorithm."""
        return bool(_NOT_KNOWN.search(str(self)))


class CannotTake(Refused):
    """The program cannot take such a key in."""

    is_not_known = True


class Peer(ABC):
    """One program with its keys."""

    name: str
    ciphers: frozenset[str]  # content ciphers it can be told to write

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._count = 0
        self._known: dict[bytes, str] = {}

    @property
    @abstractmethod
    def version(self) -> str:
        """Two numbers, such as "3.0"."""

    @abstractmethod
    def trust(self, chain: Sequence[bytes]) -> None:
        """Trust a root (the last, in DER) and know what lies between."""

    def know(self, pair: KeyPair) -> str:
        """Take a key in, once; raises Refused if it cannot."""
        der = pair.certificate.public_bytes(Encoding.DER)
        if der not in self._known:
            try:
                self._known[der] = self._take(pair)
            except Refused as refused:
                raise CannotTake(str(refused)) from refused
        return self._known[der]

    @abstractmethod
    def sign(self, pair: KeyPair, content: bytes, options: str) -> bytes:
        """Sign; raises Refused."""

    @abstractmethod
    def verify(self, der: bytes, content: bytes) -> None:
        """Check a signature that carries `content`; raises Refused."""

    @abstractmethod
    def encrypt(self, pair: KeyPair, content: bytes, cipher: str, options: str) -> bytes:
        """Encrypt to a key; raises Refused."""

    @abstractmethod
    def decrypt(self, pair: KeyPair, der: bytes) -> bytes:
        """Decrypt with a key; raises Refused."""

    @abstractmethod
    def _take(self, pair: KeyPair) -> str:
        """Take a key in; raises Refused."""

    def file(self, content: bytes, ending: str = "") -> Path:
        """A new file of the directory."""
        path = self.fresh(ending)
        path.write_bytes(content)
        return path

    def fresh(self, ending: str = "") -> Path:
        """A name for a file that is not there yet."""
        self._count += 1
        return self.directory / f"{self._count}{ending}"

    def run(self, *command: object, given: bytes = b"") -> bytes:
        done = subprocess.run(
            [str(part) for part in command],
            input=given,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env={"GNUPGHOME": str(self.directory), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        if done.returncode:
            raise Refused(self.words(done.stderr.decode(errors="replace")))
        return done.stdout

    def words(self, errors: str) -> str:
        """The line of an error output that says why."""
        lines = [line.strip() for line in errors.splitlines() if line.strip()]
        return lines[-1] if lines else "no reason given"


class OpenSsl(Peer):
    name = "openssl"
    ciphers = frozenset({"aes-128-cbc", "aes-256-cbc", "aes-128-gcm", "aes-256-gcm"})

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        # Another than the system's, to see what a newer one would say.
        self._program = os.environ.get("SIGNET_TEST_OPENSSL") or program("openssl")

    @property
    def version(self) -> str:
        return _numbers(self.run(self._program, "version"))

    def trust(self, chain: Sequence[bytes]) -> None:
        self._root = self._pem(chain[-1])

    def _pem(self, der: bytes) -> Path:
        return self.file(self.run(self._program, "x509", "-inform", "DER", given=der), ".pem")

    def _take(self, pair: KeyPair) -> str:
        stem = self.fresh()
        certificate, key = stem.with_suffix(".crt"), stem.with_suffix(".key")
        certificate.write_bytes(pair.certificate.public_bytes(Encoding.PEM))
        der = pair.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        key.write_bytes(self.run(self._program, "pkey", "-inform", "DER", given=der))
        chain = b"".join(each.public_bytes(Encoding.PEM) for each in pair.chain[:-1])
        stem.with_suffix(".chain").write_bytes(chain)
        return str(stem)

    def sign(self, pair: KeyPair, content: bytes, options: str) -> bytes:
        stem = self.know(pair)
        command = [self._program, "cms", "-sign", "-binary", "-nodetach", "-outform", "DER"]
        command += ["-signer", f"{stem}.crt", "-inkey", f"{stem}.key"]
        command += ["-certfile", f"{stem}.chain"]
        if options == "pss":
            command += ["-keyopt", "rsa_padding_mode:pss"]
        if not isinstance(pair.key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            command += ["-md", "sha512"]  # it has no default where the key hashes by itself
        return self.run(*command, given=content)

    def verify(self, der: bytes, content: bytes) -> None:
        command = [self._program, "cms", "-verify", "-binary", "-inform", "DER"]
        if self.run(*command, "-CAfile", self._root, given=der) != content:
            raise Refused("other content came out")

    def encrypt(self, pair: KeyPair, content: bytes, cipher: str, options: str) -> bytes:
        certificate = self.file(pair.certificate.public_bytes(Encoding.PEM), ".crt")
        command = [self._program, "cms", "-encrypt", "-binary", "-outform", "DER", f"-{cipher}"]
        command += ["-recip", certificate]
        if options == "oaep":
            command += ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"]
        return self.run(*command, given=content)

    def decrypt(self, pair: KeyPair, der: bytes) -> bytes:
        stem = self.know(pair)
        command = [self._program, "cms", "-decrypt", "-binary", "-inform", "DER"]
        return self.run(*command, "-recip", f"{stem}.crt", "-inkey", f"{stem}.key", given=der)

    def words(self, errors: str) -> str:
        reasons = re.findall(r":error:[^:]*:[^:]*:[^:]*:([^:]+):", errors)
        reasons += re.findall(r"error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)", errors)
        return reasons[0] if reasons else super().words(errors)


# Of a key it does not expect gpgsm says now this, now that.
_ABOUT_KEYS = {"Provided object is too short", "Invalid S-expression", "Internal error"}
_NO_METHOD = re.compile(r"no signature value available|is not suitable for encryption")


class GpgSm(Peer):
    name = "gpgsm"
    ciphers = frozenset({"aes-128-cbc", "aes-256-cbc"})

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        program("gpg-agent")
        self._program = program("gpgsm")
        (directory / "gpgsm.conf").write_text("disable-crl-checks\ndisable-policy-checks\n")
        (directory / "gpg-agent.conf").write_text("allow-loopback-pinentry\n")

    @property
    def version(self) -> str:
        return _numbers(self.run(self._program, "--version"))

    def trust(self, chain: Sequence[bytes]) -> None:
        root = x509.load_der_x509_certificate(chain[-1])
        sha1 = root.fingerprint(_sha1()).hex().upper()
        (self.directory / "trustlist.txt").write_text(f"{sha1} S relax\n")
        for der in chain:
            self._gpgsm("--import", self.file(der))

    def _gpgsm(self, *command: object, given: bytes = b"") -> bytes:
        return self.run(self._program, "--batch", "--no-tty", *command, given=given)

    def _take(self, pair: KeyPair) -> str:
        if not isinstance(pair.key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise Refused("unsupported key")
        encryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)  # what it reads
            .hmac_hash(_sha1())
            .build(PASSPHRASE.encode())
        )
        content = pkcs12.serialize_key_and_certificates(
            b"key", pair.key, pair.certificate, pair.chain, encryption
        )
        file = self.file(content, ".p12")
        self._gpgsm(
            *("--pinentry-mode", "loopback", "--passphrase-fd", "0", "--import", file),
            given=PASSPHRASE.encode() + b"\n",
        )
        return pair.certificate.fingerprint(_sha1()).hex().upper()

    def sign(self, pair: KeyPair, content: bytes, options: str) -> bytes:
        if options:
            raise Refused("unsupported algorithm")
        user = self.know(pair)
        return self._unlocked("--local-user", user, "--sign", self.file(content))

    def _unlocked(self, *command: object) -> bytes:
        out = self.fresh()
        self._gpgsm(
            *("--pinentry-mode", "loopback", "--passphrase-fd", "0", "--output", out, *command),
            given=PASSPHRASE.encode() + b"\n",
        )
        return out.read_bytes()

    def verify(self, der: bytes, content: bytes) -> None:
        out = self.fresh()
        self._gpgsm("--output", out, "--verify", self.file(der))
        if out.read_bytes() != content:
            raise Refused("other content came out")

    def encrypt(self, pair: KeyPair, content: bytes, cipher: str, options: str) -> bytes:
        if options:
            raise Refused("unsupported algorithm")
        self._gpgsm("--import", self.file(pair.certificate.public_bytes(Encoding.DER)))
        user = pair.certificate.fingerprint(_sha1()).hex().upper()
        out, names = self.fresh(), {"aes-128-cbc": "AES128", "aes-256-cbc": "AES256"}
        self._gpgsm(
            *("--cipher-algo", names[cipher], "--recipient", user, "--output", out),
            *("--encrypt", self.file(content)),
        )
        return out.read_bytes()

    def decrypt(self, pair: KeyPair, der: bytes) -> bytes:
        self.know(pair)
        return self._unlocked("--decrypt", self.file(der))

    def words(self, errors: str) -> str:
        found = re.findall(
            r"^gpgsm: .*: ([A-Za-z][^\[\]:<]*?) ?(?:<[^>]*>)?\]?$", errors, re.MULTILINE
        )
        reason = found[0] if found else super().words(errors).removeprefix("gpgsm: ")
        if reason in _ABOUT_KEYS:
            return "it fails on such a key"
        return "unsupported algorithm" if _NO_METHOD.search(reason) else reason


class CmsUtil(Peer):
    name = "cmsutil"
    ciphers = frozenset({"its own choice"})

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._program, self._certutil = program("cmsutil"), program("certutil")
        self._pk12util = program("pk12util")
        self._store = f"sql:{directory}"
        self.run(self._certutil, "-N", "-d", self._store, "--empty-password")

    @property
    def version(self) -> str:
        # It does not say; the library it uses does.
        libraries = [
            line.split()[2]
            for line in self.run("ldd", self._program).decode().splitlines()
            if "libnss3.so" in line
        ]
        match = re.search(rb"NSS (\d+\.\d+)", Path(libraries[0]).read_bytes())
        if match is None:
            raise ServerMissing("libnss3 does not say its version")
        return match.group(1).decode()

    def trust(self, chain: Sequence[bytes]) -> None:
        for number, der in enumerate(reversed(chain)):
            flags = ",," if number else ",C,"
            command = [self._certutil, "-A", "-d", self._store, "-n", f"authority {number}"]
            self.run(*command, "-t", flags, "-i", self.file(der))

    def _take(self, pair: KeyPair) -> str:
        name = f"key {fingerprint(pair.certificate)[:12]}"
        file = self.file(to_pkcs12(pair, PASSPHRASE, friendly_name=name), ".p12")
        self.run(self._pk12util, "-i", file, "-d", self._store, "-W", PASSPHRASE, "-K", "")
        return name

    def sign(self, pair: KeyPair, content: bytes, options: str) -> bytes:
        if options:
            raise Refused("unsupported algorithm")
        out = self.fresh()
        command = [self._program, "-S", "-d", self._store, "-N", self.know(pair), "-H", "SHA256"]
        self.run(*command, "-i", self.file(content), "-o", out)
        return out.read_bytes()

    def words(self, errors: str) -> str:
        codes = re.findall(r"\b(?:SEC|PR)_[A-Z0-9_]+", errors)
        return codes[-1] if codes else super().words(errors)

    def verify(self, der: bytes, content: bytes) -> None:
        out = self.fresh()
        self.run(self._program, "-D", "-d", self._store, "-i", self.file(der), "-o", out)
        if out.read_bytes() != content:
            raise Refused("other content came out")

    def encrypt(self, pair: KeyPair, content: bytes, cipher: str, options: str) -> bytes:
        if options:
            raise Refused("unsupported algorithm")
        name, out = self.know(pair), self.fresh()
        command = [self._program, "-E", "-d", self._store, "-r", name]
        self.run(*command, "-i", self.file(content), "-o", out)
        return out.read_bytes()

    def decrypt(self, pair: KeyPair, der: bytes) -> bytes:
        self.know(pair)
        out = self.fresh()
        self.run(self._program, "-D", "-d", self._store, "-i", self.file(der), "-o", out)
        return out.read_bytes()


def _numbers(output: bytes) -> str:
    match = re.search(rb"(\d+\.\d+)", output)
    if match is None:
        raise ServerMissing("it does not say its version")
    return match.group(1).decode()


def _sha1() -> hashes.SHA1:
    return hashes.SHA1()


@contextmanager
def made(directory: Path) -> Iterator[list[Peer]]:
    """All programs, each in a directory of its own. Raises ServerMissing."""
    peers = [OpenSsl(directory / "o"), GpgSm(directory / "g"), CmsUtil(directory / "n")]
    try:
        yield peers
    finally:
        peers[1].run(program("gpgconf"), "--kill", "all")

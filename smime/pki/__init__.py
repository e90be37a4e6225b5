"""Certificates: key files, addresses, paths, revocation, and a small authority for tests."""

from smime.pki.pkcs12 import KeyPair, Pkcs12Error, load_pem, load_pkcs12

__all__ = ["KeyPair", "Pkcs12Error", "load_pem", "load_pkcs12"]

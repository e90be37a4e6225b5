"""CMS structures (RFC 5652, RFC 5083, RFC 3274) as read from mail.

Algorithm parameters, names and attribute values stay raw here (`Any`): each reader takes apart
only what its algorithm needs, so one odd field cannot make the whole object unreadable.
"""

# mypy: disable-error-code="misc"
# asn1crypto has no types, so its classes look like Any to subclass.

from typing import ClassVar

from asn1crypto.core import (
    Any,
    Asn1Value,
    Choice,
    GeneralizedTime,
    Integer,
    ObjectIdentifier,
    OctetBitString,
    OctetString,
    Sequence,
    SequenceOf,
    SetOf,
)


class Algorithm(Sequence):
    _fields = [
        ("algorithm", ObjectIdentifier),
        ("parameters", Any, {"optional": True}),
    ]


class Algorithms(SetOf):
    _child_spec = Algorithm


class IssuerAndSerialNumber(Sequence):
    _fields = [("issuer", Any), ("serial_number", Integer)]


class AttributeValues(SetOf):
    _child_spec = Any


class Attribute(Sequence):
    _fields = [("type", ObjectIdentifier), ("values", AttributeValues)]


class Attributes(SetOf):
    _child_spec = Attribute


class AnySet(SetOf):
    """Certificates or revocation lists, each left as it came."""

    _child_spec = Any


class EncapsulatedContentInfo(Sequence):
    _fields = [
        ("content_type", ObjectIdentifier),
        ("content", OctetString, {"explicit": 0, "optional": True}),
    ]


class SignerIdentifier(Choice):
    _alternatives = [
        ("issuer_and_serial_number", IssuerAndSerialNumber),
        ("subject_key_identifier", OctetString, {"implicit": 0}),
    ]


class SignerInfo(Sequence):
    _fields = [
        ("version", Integer),
        ("sid", SignerIdentifier),
        ("digest_algorithm", Algorithm),
        ("signed_attrs", Attributes, {"implicit": 0, "optional": True}),
        ("signature_algorithm", Algorithm),
        ("signature", OctetString),
        ("unsigned_attrs", Attributes, {"implicit": 1, "optional": True}),
    ]


class SignerInfos(SetOf):
    _child_spec = SignerInfo


class SignedData(Sequence):
    _fields = [
        ("version", Integer),
        ("digest_algorithms", Algorithms),
        ("encap_content_info", EncapsulatedContentInfo),
        ("certificates", AnySet, {"implicit": 0, "optional": True}),
        ("crls", AnySet, {"implicit": 1, "optional": True}),
        ("signer_infos", SignerInfos),
    ]


class OriginatorInfo(Sequence):
    _fields = [
        ("certs", AnySet, {"implicit": 0, "optional": True}),
        ("crls", AnySet, {"implicit": 1, "optional": True}),
    ]


class KeyTransRecipientInfo(Sequence):
    _fields = [
        ("version", Integer),
        ("rid", SignerIdentifier),  # the same choice as a signer's identifier
        ("key_encryption_algorithm", Algorithm),
        ("encrypted_key", OctetString),
    ]


class OriginatorPublicKey(Sequence):
    _fields = [("algorithm", Algorithm), ("public_key", OctetBitString)]


class OriginatorIdentifierOrKey(Choice):
    _alternatives = [
        ("issuer_and_serial_number", IssuerAndSerialNumber),
        ("subject_key_identifier", OctetString, {"implicit": 0}),
        ("originator_key", OriginatorPublicKey, {"implicit": 1}),
    ]


class RecipientKeyIdentifier(Sequence):
    _fields = [
        ("subject_key_identifier", OctetString),
        ("date", GeneralizedTime, {"optional": True}),
        ("other", Any, {"optional": True}),
    ]


class KeyAgreeRecipientIdentifier(Choice):
    _alternatives = [
        ("issuer_and_serial_number", IssuerAndSerialNumber),
        ("r_key_id", RecipientKeyIdentifier, {"implicit": 0}),
    ]


class RecipientEncryptedKey(Sequence):
    _fields = [
        ("rid", KeyAgreeRecipientIdentifier),
        ("encrypted_key", OctetString),
    ]


class RecipientEncryptedKeys(SequenceOf):
    _child_spec = RecipientEncryptedKey


class KeyAgreeRecipientInfo(Sequence):
    _fields = [
        ("version", Integer),
        ("originator", OriginatorIdentifierOrKey, {"explicit": 0}),
        ("ukm", OctetString, {"explicit": 1, "optional": True}),
        ("key_encryption_algorithm", Algorithm),
        ("recipient_encrypted_keys", RecipientEncryptedKeys),
    ]


class OtherRecipient(Sequence):
    """A kind of recipient that is only counted: shared key or password."""

    _fields: ClassVar[list[tuple[str, type]]] = []


class OtherRecipientInfo(Sequence):
    """RFC 5652 §6.2.5; the value stays raw."""

    _fields = [("ori_type", ObjectIdentifier), ("ori_value", Any)]


class KemRecipientInfo(Sequence):
    """RFC 9629 §3."""

    _fields = [
        ("version", Integer),
        ("rid", SignerIdentifier),
        ("kem", Algorithm),
        ("kem_ciphertext", OctetString),
        ("kdf", Algorithm),
        ("kek_length", Integer),
        ("ukm", OctetString, {"explicit": 0, "optional": True}),
        ("wrap", Algorithm),
        ("encrypted_key", OctetString),
    ]


class KemOtherInfo(Sequence):
    """CMSORIforKEMOtherInfo, the input of the key derivation (RFC 9629 §5)."""

    _fields = [
        ("wrap", Algorithm),
        ("kek_length", Integer),
        ("ukm", OctetString, {"explicit": 0, "optional": True}),
    ]


class RecipientInfo(Choice):
    _alternatives = [
        ("ktri", KeyTransRecipientInfo),
        ("kari", KeyAgreeRecipientInfo, {"implicit": 1}),
        ("kekri", OtherRecipient, {"implicit": 2}),
        ("pwri", OtherRecipient, {"implicit": 3}),
        ("ori", OtherRecipientInfo, {"implicit": 4}),
    ]


class RecipientInfos(SetOf):
    _child_spec = RecipientInfo


class EncryptedContentInfo(Sequence):
    _fields = [
        ("content_type", ObjectIdentifier),
        ("content_encryption_algorithm", Algorithm),
        ("encrypted_content", OctetString, {"implicit": 0, "optional": True}),
    ]


class EnvelopedData(Sequence):
    _fields = [
        ("version", Integer),
        ("originator_info", OriginatorInfo, {"implicit": 0, "optional": True}),
        ("recipient_infos", RecipientInfos),
        ("encrypted_content_info", EncryptedContentInfo),
        ("unprotected_attrs", Attributes, {"implicit": 1, "optional": True}),
    ]


class AuthEnvelopedData(Sequence):
    _fields = [
        ("version", Integer),
        ("originator_info", OriginatorInfo, {"implicit": 0, "optional": True}),
        ("recipient_infos", RecipientInfos),
        ("auth_encrypted_content_info", EncryptedContentInfo),
        ("auth_attrs", Attributes, {"implicit": 1, "optional": True}),
        ("mac", OctetString),
        ("unauth_attrs", Attributes, {"implicit": 2, "optional": True}),
    ]


class CompressedData(Sequence):
    _fields = [
        ("version", Integer),
        ("compression_algorithm", Algorithm),
        ("encap_content_info", EncapsulatedContentInfo),
    ]


class ContentInfo(Sequence):
    """RFC 5652 §3. Contents of other types stay raw."""

    _fields = [
        ("content_type", ObjectIdentifier),
        ("content", Any, {"explicit": 0, "optional": True}),
    ]
    _oid_pair = ("content_type", "content")
    _oid_specs: ClassVar[dict[str, type]] = {
        "1.2.840.113549.1.7.2": SignedData,
        "1.2.840.113549.1.7.3": EnvelopedData,
        "1.2.840.113549.1.9.16.1.9": CompressedData,
        "1.2.840.113549.1.9.16.1.23": AuthEnvelopedData,
    }


class GcmParameters(Sequence):
    """RFC 5084 §3.1, §3.2: the same shape for GCM and CCM."""

    _fields = [
        ("nonce", OctetString),
        ("icv_length", Integer, {"default": 12}),
    ]


class Rc2Parameters(Sequence):
    _fields = [("version", Integer), ("iv", OctetString)]


class OaepParameters(Sequence):
    """RFC 4055 §4.1; absent fields mean SHA-1, MGF1 with SHA-1, an empty label."""

    _fields = [
        ("hash", Algorithm, {"explicit": 0, "optional": True}),
        ("mask", Algorithm, {"explicit": 1, "optional": True}),
        ("source", Algorithm, {"explicit": 2, "optional": True}),
    ]


class PssParameters(Sequence):
    """RFC 4055 §3.1; absent fields mean SHA-1, MGF1 with SHA-1, 20 octets of salt, trailer 1."""

    _fields = [
        ("hash", Algorithm, {"explicit": 0, "optional": True}),
        ("mask", Algorithm, {"explicit": 1, "optional": True}),
        ("salt_length", Integer, {"explicit": 2, "default": 20}),
        ("trailer", Integer, {"explicit": 3, "default": 1}),
    ]


class SharedInfo(Sequence):
    """ECC-CMS-SharedInfo, the input of the key derivation (RFC 5753 §7.2)."""

    _fields = [
        ("key_info", Algorithm),
        ("entity_u_info", OctetString, {"explicit": 0, "optional": True}),
        ("supp_pub_info", OctetString, {"explicit": 2}),
    ]


class EssCertId(Sequence):
    """One certificate named by signingCertificate (RFC 2634 §5.4): its SHA-1."""

    _fields = [
        ("hash", OctetString),
        ("issuer_serial", Any, {"optional": True}),
    ]


class EssCertIds(SequenceOf):
    _child_spec = EssCertId


class SigningCertificate(Sequence):
    _fields = [("certs", EssCertIds), ("policies", Any, {"optional": True})]


class EssCertIdV2(Sequence):
    """One certificate named by signingCertificateV2 (RFC 5035 §4); SHA-256 unless said."""

    _fields = [
        ("algorithm", Algorithm, {"optional": True}),
        ("hash", OctetString),
        ("issuer_serial", Any, {"optional": True}),
    ]


class EssCertIdsV2(SequenceOf):
    _child_spec = EssCertIdV2


class SigningCertificateV2(Sequence):
    _fields = [("certs", EssCertIdsV2), ("policies", Any, {"optional": True})]


class Capabilities(SequenceOf):
    """SMIMECapabilities (RFC 8551 §2.5.2): algorithm identifiers, in order of preference."""

    _child_spec = Algorithm


def encoded(value: Asn1Value) -> bytes:
    """Give the bytes of a value exactly as they were read.

    asn1crypto's own `dump` decodes an `Any` first, which fails for what only its type could explain
    (implicit tags), and writes indefinite lengths anew.
    """
    header, trailer = value._header, value._trailer  # noqa: SLF001 - no public way to them
    return bytes((header or b"") + (value.contents or b"") + (trailer or b""))

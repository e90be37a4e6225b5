"""IMAP4rev1/rev2 as Signet needs it: one session class with deadlines, caps and typed arguments."""

from webmail.imap.conversation import Deadlines
from webmail.imap.criteria import (
    All,
    Before,
    Criteria,
    Flagged,
    Header,
    Larger,
    Since,
    Smaller,
    Text,
    Uids,
)
from webmail.imap.errors import (
    AuthFailed,
    CommandRefused,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    ImapError,
    LimitExceeded,
    MessageGone,
    ProtocolViolation,
    ResponseCode,
    ServerUnavailable,
    TlsRefused,
)
from webmail.imap.events import Event, Exists, Expunged, FlagsChanged, Vanished
from webmail.imap.folders import FolderStatus, ListedFolder, Selected
from webmail.imap.idling import Idling
from webmail.imap.rows import FetchedRow, FlagRow
from webmail.imap.session import Session
from webmail.imap.structure import BodyStructure
from webmail.imap.uidset import UidSet
from webmail.sasl import Credentials, Endpoint

__all__ = [
    "All",
    "AuthFailed",
    "Before",
    "BodyStructure",
    "CommandRefused",
    "ConnectFailed",
    "ConnectionLost",
    "Credentials",
    "Criteria",
    "DeadlineExceeded",
    "Deadlines",
    "Endpoint",
    "Event",
    "Exists",
    "Expunged",
    "FetchedRow",
    "FlagRow",
    "Flagged",
    "FlagsChanged",
    "FolderStatus",
    "Header",
    "Idling",
    "ImapError",
    "Larger",
    "LimitExceeded",
    "ListedFolder",
    "MessageGone",
    "ProtocolViolation",
    "ResponseCode",
    "Selected",
    "ServerUnavailable",
    "Session",
    "Since",
    "Smaller",
    "Text",
    "TlsRefused",
    "UidSet",
    "Uids",
    "Vanished",
]

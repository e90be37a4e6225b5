"""Which folder is the archive, the trash, …: SPECIAL-USE first, then names in many languages."""

from collections.abc import Iterable

from webmail.imap import ListedFolder
from webmail.mailbox.models import Folder

Role = Folder.Role

_ATTRIBUTES = {
    "\\Drafts": Role.DRAFTS,
    "\\Sent": Role.SENT,
    "\\Archive": Role.ARCHIVE,
    "\\Junk": Role.JUNK,
    "\\Trash": Role.TRASH,
    "\\All": Role.ALL,
    "\\Flagged": Role.FLAGGED,
}
# As mail programs and providers name them; compared without case, first match wins.
_NAMES: dict[Role, tuple[str, ...]] = {
    Role.DRAFTS: (
        "drafts", "draft", "entwürfe", "entwurf", "brouillons", "brouillon", "borradores",
        "borrador", "bozze", "rascunhos", "concepten", "utkast", "kladder", "luonnokset",
        "koncepty", "szkice", "wersje robocze", "piszkozatok", "черновики", "чернетки", "taslaklar",
        "πρόχειρα", "下書き", "草稿", "草稿箱", "임시 보관함", "المسودات", "טיוטות", "ciorne",
    ),
    Role.SENT: (
        "sent", "sent items", "sent messages", "sent mail", "gesendet", "gesendete objekte",
        "gesendete elemente", "gesendete nachrichten", "envoyés", "éléments envoyés",
        "messages envoyés", "enviados", "elementos enviados", "mensajes enviados", "inviati",
        "posta inviata", "itens enviados", "verzonden", "verzonden items", "skickat",
        "skickade objekt", "sendt", "sendte elementer", "lähetetyt", "odeslané", "odeslaná pošta",
        "wysłane", "elementy wysłane", "elküldött", "elküldött elemek", "отправленные",
        "надіслані", "gönderilenler", "gönderilmiş öğeler", "απεσταλμένα", "送信済み",
        "送信済みアイテム", "已发送", "已发送邮件", "寄件備份", "보낸 편지함", "المرسلة", "נשלחו",
        "trimise",
    ),
    Role.ARCHIVE: (
        "archive", "archives", "archiv", "archivo", "archivio", "arquivo", "arkiv", "arkisto",
        "archief", "archiwum", "archívum", "архив", "архів", "arşiv", "αρχείο", "アーカイブ",
        "存档", "归档", "封存", "보관함", "الأرشيف", "ארכיון", "arhivă",
    ),
    Role.JUNK: (
        "junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail", "unerwünscht",
        "spam-verdacht", "werbung", "courrier indésirable", "indésirables", "pourriel",
        "correo no deseado", "posta indesiderata", "indesiderata", "lixo eletrônico",
        "lixo eletrónico", "ongewenst", "ongewenste e-mail", "skräppost", "søppelpost", "uønsket",
        "roskaposti", "nevyžádaná pošta", "nevyžádané", "wiadomości-śmieci", "levélszemét", "спам",
        "нежелательная почта", "gereksiz", "istenmeyen e-posta", "ανεπιθύμητα", "迷惑メール",
        "垃圾邮件", "垃圾郵件", "스팸", "스팸 편지함", "البريد العشوائي", "דואר זבל",
        "nesolicitate",
    ),
    Role.TRASH: (
        "trash", "deleted", "deleted items", "deleted messages", "bin", "papierkorb", "gelöscht",
        "gelöschte objekte", "gelöschte elemente", "corbeille", "éléments supprimés", "papelera",
        "elementos eliminados", "eliminados", "cestino", "posta eliminata", "lixeira",
        "itens excluídos", "itens eliminados", "prullenbak", "verwijderde items", "papperskorg",
        "papperskorgen", "borttaget", "papirkurv", "slettet", "slettede elementer", "roskakori",
        "poistetut", "koš", "odstraněná pošta", "kosz", "elementy usunięte", "kuka", "lomtár",
        "törölt elemek", "корзина", "удаленные", "удалённые", "кошик", "çöp kutusu",
        "silinmiş öğeler",
        "κάδος απορριμμάτων", "διαγραμμένα", "ゴミ箱", "削除済みアイテム", "已删除",
        "已删除邮件", "垃圾桶",
        "휴지통", "المهملات", "אשפה", "coș de gunoi",
    ),
}  # fmt: skip
_BY_NAME = {name: role for role, names in _NAMES.items() for name in names}
# Where names are looked for: the top, or just below a personal prefix.
_PREFIXES = frozenset({"inbox", "[gmail]", "[google mail]"})


def roles_of(listed: Iterable[ListedFolder]) -> dict[str, Role]:
    """Return the role of each folder that has one, by path; each role is given once."""
    folders = sorted(listed, key=lambda one: (one.path.count(one.delimiter or "\0"), one.path))
    found: dict[str, Role] = {}
    given: set[Role] = set()

    def give(path: str, role: Role | None) -> None:
        if role is not None and role not in given and path not in found:
            found[path] = role
            given.add(role)

    for folder in folders:
        if folder.path.upper() == "INBOX":  # RFC 9051 §5.1: in any case
            give(folder.path, Role.INBOX)
    usable = [folder for folder in folders if folder.is_selectable]
    for folder in usable:
        for attribute, role in _ATTRIBUTES.items():
            if attribute in folder.attributes:
                give(folder.path, role)
    for folder in usable:
        give(folder.path, _by_name(folder))
    return found


def _by_name(folder: ListedFolder) -> Role | None:
    levels = folder.path.split(folder.delimiter) if folder.delimiter else [folder.path]
    if len(levels) == 2 and levels[0].casefold() in _PREFIXES:
        levels = levels[1:]
    return _BY_NAME.get(levels[0].strip().casefold()) if len(levels) == 1 else None

"""The admin panel's tables of this app: people, mail servers, mail accounts and the audit log.

Never a password, key or mail text. Each change asks for a reason and is written to the audit log.
"""

from django.contrib import admin

from accounts.admin_audit import AuditEventAdmin
from accounts.admin_mail import MailAccountAdmin, MailServerAdmin
from accounts.admin_people import UserAdmin
from accounts.models import AuditEvent, MailAccount, MailServer, User

admin.site.register(User, UserAdmin)
admin.site.register(MailServer, MailServerAdmin)
admin.site.register(MailAccount, MailAccountAdmin)
admin.site.register(AuditEvent, AuditEventAdmin)

"""A mail server on a free port of this machine, by aiosmtpd. Prints the port, then what it sees, as JSON lines.

Arguments: the password it accepts, and optionally a certificate and its key, with which it demands STARTTLS.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

PASSWORD, CERTIFICATE = sys.argv[1], sys.argv[2:4]


def tell(**event):
    print(json.dumps(event), flush=True)


class Mailbox:
    async def handle_DATA(self, server, session, envelope):
        tell(
            event="mail",
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            content=envelope.content.decode(),
        )
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    is_known = data.login == b"jo" and data.password == PASSWORD.encode()
    tell(event="sign-in", mechanism=mechanism, known=is_known)
    return AuthResult(success=is_known, handled=False)


def protocol():
    tls = None
    if CERTIFICATE:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*CERTIFICATE)
    return SMTP(
        Mailbox(),
        hostname="mail.test",
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=bool(CERTIFICATE),
        require_starttls=bool(CERTIFICATE),
        tls_context=tls,
    )


async def main():
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    tell(event="listening", port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())

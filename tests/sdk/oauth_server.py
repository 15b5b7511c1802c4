"""A token endpoint on a free port of this machine, by oauthlib. Prints the port, then each token that it
issues and each refusal, as JSON lines.

Arguments: the client's secret, its refresh token, and the life of an access token in seconds. Each refresh token
is good for one use. A line on standard input revokes the present one.
"""

import base64
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import unquote_plus

from oauthlib.oauth2 import RequestValidator, Server

CLIENT_ID = "app-1"
CLIENT_SECRET, FIRST_REFRESH_TOKEN, LIFE_SECS = sys.argv[1], sys.argv[2], int(sys.argv[3])


def tell(**event):
    print(json.dumps(event), flush=True)


class Client:
    client_id = CLIENT_ID


class Validator(RequestValidator):
    refresh_token = FIRST_REFRESH_TOKEN

    def client_authentication_required(self, request, *args, **kwargs):
        return True

    def authenticate_client(self, request, *args, **kwargs):
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return False
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
        request.client = Client()
        return (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)

    def validate_grant_type(self, client_id, grant_type, client, request, *args, **kwargs):
        return grant_type in ("refresh_token", "client_credentials")

    def validate_refresh_token(self, refresh_token, client, request, *args, **kwargs):
        return refresh_token == self.refresh_token

    def get_original_scopes(self, refresh_token, request, *args, **kwargs):
        return ["models.read"]

    def get_default_scopes(self, client_id, request, *args, **kwargs):
        return ["models.read"]

    def validate_scopes(self, client_id, scopes, client, request, *args, **kwargs):
        return scopes == ["models.read"]

    def save_bearer_token(self, token, request, *args, **kwargs):
        if "refresh_token" in token:
            Validator.refresh_token = token["refresh_token"]
        tell(
            event="issued",
            grant=request.grant_type,
            access_token=token["access_token"],
            refresh_token=token.get("refresh_token"),
        )


SERVER = Server(Validator(), token_expires_in=LIFE_SECS)


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        headers, text, status = SERVER.create_token_response(
            f"https://127.0.0.1{self.path}", "POST", body, dict(self.headers)
        )
        if status != 200:
            tell(event="refused", answer=json.loads(text))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


def revoke_on_demand():
    for _ in sys.stdin:
        Validator.refresh_token = None
        tell(event="revoked")


def main():
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=revoke_on_demand, daemon=True).start()
    tell(event="listening", port=server.server_port)
    server.serve_forever()


main()

"""A collector for OTLP over HTTP on a free port, by OpenTelemetry's own protobuf definitions. Prints the port, then what
it takes, as JSON lines. It demands the bearer token in its first argument, and refuses what is no message.
"""

import http.server
import json
import sys

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

TOKEN = sys.argv[1]
SERVICES = {
    "/v1/traces": ("traces", ExportTraceServiceRequest, ExportTraceServiceResponse),
    "/v1/metrics": ("metrics", ExportMetricsServiceRequest, ExportMetricsServiceResponse),
}


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        name, request, response = SERVICES.get(self.path, (None, None, None))
        if name is None:
            return self.answer(404, self.path)
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.answer(401, "another token")
        if self.headers.get("content-type") != "application/x-protobuf":
            return self.answer(415, "another content type")
        try:
            message = request.FromString(body)
        except DecodeError as error:
            return self.answer(400, str(error))
        tell(name, message=MessageToDict(message))
        self.answer(200, None, response().SerializeToString())

    def answer(self, status, refusal, body=b""):
        if refusal is not None:
            tell("refused", status=status, reason=refusal)
        self.send_response(status)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
tell("listening", port=server.server_port)
server.serve_forever()

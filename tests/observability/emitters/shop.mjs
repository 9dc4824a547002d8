// Node's own HTTP server and client under OpenTelemetry's JavaScript SDK, with nothing but its defaults.
//
//     OTEL_EXPORTER_OTLP_ENDPOINT=... node shop.mjs
import { NodeSDK } from "@opentelemetry/sdk-node";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { createRequire } from "node:module";

const sdk = new NodeSDK({
  serviceName: "shop",
  resourceDetectors: [], // whose machine it was is nobody's business
  traceExporter: new OTLPTraceExporter(),
  instrumentations: [new HttpInstrumentation()],
});
sdk.start();
const http = createRequire(import.meta.url)("node:http");
const server = http.createServer((_request, response) => response.end("ok"));
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const headers = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" };
await new Promise((done) => {
  const url = `http://127.0.0.1:${server.address().port}/books/7?token=planted-secret`;
  http.get(url, { headers }, (answer) => answer.resume().on("end", done));
});
server.close();
await sdk.shutdown();

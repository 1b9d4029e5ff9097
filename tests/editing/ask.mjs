// Asks yaml-language-server what an editor would: reads requests as JSON from standard input, writes answers as JSON.
//
// {folder, settings, open: {path: text}, ask: [{method, path, line, character}]} →
// {diagnostics: {path: […]}, answers: […], requested: [URLs that the server wanted to be fetched]}

import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import path from "node:path";

const { folder, settings, open, ask } = JSON.parse(await text(process.stdin));
const server = spawn(process.execPath, [path.join(import.meta.dirname, "node_modules/yaml-language-server/bin/yaml-language-server"), "--stdio"], {
  stdio: ["pipe", "pipe", "inherit"],
});
const uri = (name) => pathToFileURL(path.join(folder, name)).href;
const names = new Map(Object.keys(open).map((name) => [uri(name), name]));
const waiting = new Map();
const diagnostics = {};
const requested = [];
let settled = () => {};
let next = 1;

function send(message) {
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
  server.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
  server.stdin.write(body);
}

function request(method, params) {
  const id = next++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    send({ id, method, params });
  });
}

// What the server asks its editor.
function asked({ id, method, params }) {
  if (method === "workspace/configuration") {
    const section = (name) => name.split(".").reduce((value, key) => value?.[key], settings) ?? null;
    send({ id, result: params.items.map((item) => section(item.section)) });
  } else if (method === "vscode/content" || method === "custom/schema/content") {
    requested.push(typeof params === "string" ? params : JSON.stringify(params));
    send({ id, error: { code: -32603, message: "nothing is fetched here" } });
  } else {
    send({ id, result: null });
  }
}

function received(message) {
  if (message.method && message.id !== undefined) return asked(message);
  if (message.method === "textDocument/publishDiagnostics") {
    const name = names.get(message.params.uri);
    if (name !== undefined) diagnostics[name] = message.params.diagnostics;
    if (Object.keys(diagnostics).length === names.size) settled();
    return;
  }
  const pending = waiting.get(message.id);
  if (!pending) return;
  waiting.delete(message.id);
  if (message.error) pending.reject(new Error(message.error.message));
  else pending.resolve(message.result);
}

let buffer = Buffer.alloc(0);
server.stdout.on("data", (chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  for (;;) {
    const header = buffer.indexOf("\r\n\r\n");
    if (header < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, header).toString())[1]);
    const end = header + 4 + length;
    if (buffer.length < end) return;
    const message = JSON.parse(buffer.subarray(header + 4, end).toString());
    buffer = buffer.subarray(end);
    received(message);
  }
});

await request("initialize", {
  processId: process.pid,
  rootUri: pathToFileURL(folder).href,
  workspaceFolders: [{ uri: pathToFileURL(folder).href, name: "project" }],
  capabilities: {
    workspace: { configuration: true, workspaceFolders: true },
    textDocument: {
      completion: { completionItem: { snippetSupport: false, documentationFormat: ["markdown"] } },
      hover: { contentFormat: ["markdown"] },
    },
  },
});
send({ method: "initialized", params: {} });
send({ method: "workspace/didChangeConfiguration", params: { settings } });
// The server reads its configuration in the background; a document opened before that is judged without it.
await new Promise((resolve) => setTimeout(resolve, 300));

const all = new Promise((resolve) => (settled = resolve));
for (const [name, text] of Object.entries(open)) {
  send({ method: "textDocument/didOpen", params: { textDocument: { uri: uri(name), languageId: "yaml", version: 1, text } } });
}
await all;
const answers = [];
for (const { method, path: name, line, character } of ask) {
  answers.push(await request(method, { textDocument: { uri: uri(name) }, position: { line, character } }));
}
process.stdout.write(JSON.stringify({ diagnostics, answers, requested }), () => {
  server.kill();
  process.exit(0);
});

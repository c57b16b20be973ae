// The explorer: sends what stands in the page to /graphql and shows what comes back.

import { showJson } from "/explorer/json_view.js";
import { openSchema } from "/explorer/schema_pane.js";

const HISTORY_MAX = 20;
const element = (id) => document.getElementById(id);
const [query, variables, token, result, status] =
  ["query", "variables", "token", "result", "status"].map(element);

function headers() {
  const given = {
    "content-type": "application/json",
    "accept": "application/graphql-response+json, application/json;q=0.9",
    "accept-language": element("language").value,
  };
  if (token.value.trim()) given.authorization = `Bearer ${token.value.trim()}`;
  if (element("deadline").value) given["x-deadline-ms"] = element("deadline").value;
  return given;
}

async function post(body) {
  const response = await fetch("/graphql", { method: "POST", headers: headers(), body: JSON.stringify(body) });
  return { response, text: await response.text() };
}

function readVariables() {
  const text = variables.value.trim();
  if (!text) return {};
  // A number beyond 2^53 would change here; the gateway refuses it anyway.
  return JSON.parse(text);
}

async function run() {
  let given;
  try {
    given = readVariables();
  } catch (error) {
    say(`The variables are not JSON: ${error.message}`, "bad");
    return;
  }
  const body = { query: query.value, variables: given };
  if (!element("operation").hidden) body.operationName = element("operation").value;
  element("run").disabled = true;
  say("Running…");
  const started = performance.now();
  try {
    const { response, text } = await post(body);
    const milliseconds = (performance.now() - started).toFixed(1);
    const errors = showJson(result, text);
    const size = new Intl.NumberFormat().format(new Blob([text]).size);
    const found = errors ? ` · ${errors} ${errors === 1 ? "error" : "errors"}` : "";
    say(`${response.status} · ${milliseconds} ms · ${size} bytes${found}`, response.ok && !errors ? "good" : "bad");
    result.title = `Request ${response.headers.get("x-request-id") ?? ""}`;
    remember();
  } catch (error) {
    result.textContent = "";
    say(`No answer: ${error.message}`, "bad");
  } finally {
    element("run").disabled = false;
  }
}

function say(text, kind = "") {
  status.textContent = text;
  status.className = kind;
}

function operationNames(text) {
  const bare = text.replace(/#[^\n]*/g, "").replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"/g, '""');
  return [...bare.matchAll(/(?:^|[}\s])(?:query|mutation)\s+([A-Za-z_]\w*)/g)].map((match) => match[1]);
}

function listOperations() {
  const names = operationNames(query.value);
  const select = element("operation");
  const chosen = select.value;
  select.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
  select.hidden = names.length < 2;
}

function fill(example) {
  query.value = example.query;
  variables.value = example.variables ? JSON.stringify(example.variables, null, 2) : "";
  listOperations();
  query.focus();
}

function button(label, title, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.title = title;
  made.addEventListener("click", action);
  return made;
}

async function loadExamples() {
  const response = await fetch("/explorer/operations.json");
  const groups = await response.json();
  for (const group of groups) {
    const heading = document.createElement("h2");
    heading.textContent = group.audience;
    element("examples").append(heading, ...group.operations.map(
      (example) => button(example.name, example.description, () => fill(example)),
    ));
  }
  if (!query.value && groups.length) fill(groups[0].operations[0]);
}

function remember() {
  const entry = { query: query.value, variables: variables.value };
  const entries = [entry, ...remembered().filter((other) => other.query !== entry.query)];
  sessionStorage.setItem("history", JSON.stringify(entries.slice(0, HISTORY_MAX)));
  showHistory();
}

function remembered() {
  return JSON.parse(sessionStorage.getItem("history") ?? "[]");
}

function showHistory() {
  element("history").replaceChildren(...remembered().map((entry) => {
    const item = document.createElement("li");
    const label = operationNames(entry.query)[0] ?? entry.query.trim().slice(0, 40);
    item.append(button(label, entry.query, () => {
      query.value = entry.query;
      variables.value = entry.variables;
      listOperations();
    }));
    return item;
  }));
}

// What the token says of its bearer, for people to read; the gateway alone checks it.
function describeToken() {
  sessionStorage.setItem("token", token.value);
  try {
    const body = token.value.trim().split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (c) => c.charCodeAt(0))));
    const until = new Date(claims.exp * 1000);
    const ended = until < new Date() ? "expired" : "until";
    element("bearer").textContent = `${claims.scope} ${String(claims.sub).slice(0, 24)} · ${ended} ${until.toLocaleString()}`;
  } catch {
    element("bearer").textContent = token.value ? "not a token" : "nobody";
  }
}

// `/#token=…` hands a token over without it ever being sent as part of a URL.
function takeTokenFromAddress() {
  const handed = new URLSearchParams(location.hash.slice(1)).get("token");
  token.value = handed ?? sessionStorage.getItem("token") ?? "";
  if (handed) history.replaceState(null, "", location.pathname);
  describeToken();
}

function indent(event) {
  if (event.key !== "Tab" || event.shiftKey || event.altKey || event.ctrlKey) return;
  event.preventDefault();
  event.target.setRangeText("  ", event.target.selectionStart, event.target.selectionEnd, "end");
}

element("run").addEventListener("click", run);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
for (const editor of [query, variables]) editor.addEventListener("keydown", indent);
query.addEventListener("input", listOperations);
token.addEventListener("input", describeToken);
element("show-token").addEventListener("click", (event) => {
  const isShown = token.type === "password";
  token.type = isShown ? "text" : "password";
  event.target.textContent = isShown ? "Hide" : "Show";
  event.target.setAttribute("aria-pressed", String(isShown));
});

takeTokenFromAddress();
showHistory();
loadExamples();
openSchema(element("schema"), element("search"), element("back"), post);
